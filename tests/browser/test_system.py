"""The pages of the system and of the settings."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.browser.conftest import keep_screenshot
from tests.running import until

pytestmark = pytest.mark.browser

TOLD = re.compile(r"over the last hour\. .*: now \d")
IN_ACCENT = """canvas => {
  const { width, height } = canvas;
  const often = { willReadFrequently: true }; // else Chromium warns
  const copy = new OffscreenCanvas(width, height + 1).getContext("2d", often);
  copy.drawImage(canvas, 0, 0);
  copy.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  copy.fillRect(0, height, 1, 1);
  const colorAt = (place) => place.subarray(0, 3).join();
  const { data } = copy.getImageData(0, 0, width, height + 1);
  const accent = colorAt(data.subarray(4 * width * height));
  for (let at = 0; at < 4 * width * height; at += 4)
    if (colorAt(data.subarray(at)) === accent) return true;
  return false;
}"""


@pytest.fixture
def system(new_page: Callable[[str], Page]) -> Page:
    page = new_page("/system")
    expect(plot(page, "Processor")).to_have_attribute("aria-label", TOLD)
    return page


def plot(page: Page, name: str) -> Locator:
    return page.locator(f"[data-name='{name}'] [data-plot]")


def check_widths(page: Page, name: str) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (1440, 768, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            keep_screenshot(page, f"{name}-{width}-{scheme}")


def test_the_tiles_say_what_the_machine_does(system: Page) -> None:
    names = system.locator(".tile dt").all_text_contents()
    assert set(names) >= {"Processor", "Memory", "Disk", "Jobs", "Models in memory", "Speed"}
    processes = system.get_by_role("table", name="Processes of Voice Transcriber")
    expect(processes.get_by_role("row", name="Page and API")).to_contain_text("MB")


def test_every_chart_is_drawn_and_told_in_words(system: Page) -> None:
    for name in ("Processor", "Memory", "Jobs"):
        expect(plot(system, name).locator("canvas")).to_be_visible()
        expect(plot(system, name)).to_have_attribute("aria-label", TOLD)
    system.get_by_text("Figures as a table").click()
    expect(system.get_by_role("row", name="Memory: voice transcriber")).to_contain_text("GB")


def test_the_lines_take_the_colours_of_light_and_dark(system: Page) -> None:
    canvas = plot(system, "Processor").locator("canvas")
    for scheme in ("light", "dark", "light"):
        system.emulate_media(color_scheme=scheme)
        until(lambda: canvas.evaluate(IN_ACCENT))


def test_a_completed_job_becomes_a_point(system: Page) -> None:
    system.request.post("/api/v1/jobs/sample")
    chart = plot(system, "Real-time factor")
    expect(chart).to_have_attribute("aria-label", TOLD, timeout=60_000)
    expect(system.get_by_text("No job was completed in the last hour.")).to_be_hidden()
    expect(system.locator(".tile", has_text="Speed")).to_contain_text("median of")


def test_values_are_read_under_the_pointer(system: Page) -> None:
    chart = system.locator("[data-name='Memory']")
    chart.locator(".u-over").hover()
    expect(chart.locator("[data-time]")).to_have_text(re.compile(r"\d:\d\d:\d\d"))
    system.mouse.move(0, 0)
    expect(chart.locator("[data-time]")).to_have_text("")


def test_nothing_is_asked_while_nobody_looks(browser: Browser, url: str) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/ui/system" in request.url:
            asked.append(request.url)

    page = browser.new_page(base_url=url)
    page.clock.install()
    page.on("request", note)
    page.goto("/system")
    page.clock.run_for(1_000)
    expect(plot(page, "Processor")).to_have_attribute("aria-label", TOLD)
    with page.expect_request("**/ui/system?since=*"):
        page.clock.run_for(10_000)
    page.wait_for_load_state("networkidle")
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.clock.run_for(10_000)  # the one that was planned already
    page.wait_for_load_state("networkidle")
    before = len(asked)
    page.clock.run_for(120_000)
    assert len(asked) == before
    page.evaluate("delete document.hidden")
    with page.expect_request("**/ui/system?since=*"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.close()


def test_the_system_page_fits_every_width(system: Page) -> None:
    check_widths(system, "system")


def test_the_settings_page_fits_every_width(new_page: Callable[[str], Page]) -> None:
    check_widths(new_page("/settings"), "settings")


def test_a_setting_that_was_given_is_one_click_away(new_page: Callable[[str], Page]) -> None:
    page = new_page("/settings")
    page.get_by_role("link", name="DEFAULT_MODEL").click()
    given = page.get_by_role("listitem").filter(
        has=page.get_by_role("heading", name="DEFAULT_MODEL")
    )
    expect(given).to_be_in_viewport()
    expect(given).to_contain_text("from the environment")
