"""What a person does with the page, in a real browser, with the real program."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, expect

from tests.browser.conftest import NEVER_MS, keep_screenshot
from tests.running import until

JOB_PAGE = "**/jobs/*"
SPEECH = Path(__file__).parents[1] / "data" / "audio" / "en_5s.wav"

pytestmark = pytest.mark.browser


def speech(name: str, *, more_bytes: int = 0) -> FilePayload:
    """A recording that was never sent before: what follows a wav's data is not read."""
    content = SPEECH.read_bytes() + os.urandom(8) + bytes(more_bytes)
    return {"name": name, "mimeType": "audio/wav", "buffer": content}


def choose(page: Page, *files: FilePayload) -> None:
    page.locator("#files").set_input_files(list(files))


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has_text=name)


def open_job(found: Locator) -> None:
    """Its page is there, and its scripts have run."""
    found.get_by_role("link", name="Open").click()
    found.page.wait_for_url(JOB_PAGE)


def played_s(page: Page) -> float:
    """Playwright's own waiting for an expression is forbidden by the page's content policy."""
    return float(page.locator("[data-player]").evaluate("player => player.currentTime"))


def finished_job(page: Page, name: str) -> Locator:
    choose(page, speech(name))
    expect(row(page, name)).to_contain_text("Done", timeout=NEVER_MS)
    return row(page, name)


def test_a_chosen_file_becomes_text_that_is_read_played_and_downloaded(page: Page) -> None:
    open_job(finished_job(page, "talk.wav"))
    segments = page.locator("[data-segments] li")
    expect(segments).to_have_count(2)
    keep_screenshot(page, "job")

    segments.nth(1).click()
    start_s = int(segments.nth(1).get_attribute("data-start-ms") or 0) / 1000
    assert start_s > 1
    until(lambda: played_s(page) >= start_s)
    expect(segments.nth(1)).to_have_class("current")

    for name in ("txt", "srt", "json"):
        with page.expect_download() as download:
            page.get_by_role("link", name=name, exact=True).click()
        assert download.value.suggested_filename == f"talk.{name}"
        content = download.value.path().read_text(encoding="utf-8")
        assert content
        if name == "json":
            assert len(json.loads(content)["segments"]) == 2


def test_files_that_are_dropped_anywhere_are_taken(page: Page) -> None:
    transfer = page.evaluate_handle(
        """(bytes) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "dropped.wav"));
            return transfer;
        }""",
        list(SPEECH.read_bytes()),
    )
    page.dispatch_event("body", "dragenter", {"dataTransfer": transfer})
    expect(page.get_by_text("Drop to transcribe")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    expect(page.get_by_text("Drop to transcribe")).to_be_hidden()
    expect(row(page, "dropped.wav")).to_contain_text("Done", timeout=NEVER_MS)


def test_the_list_survives_a_reload_and_a_second_tab_follows(
    page: Page, new_page: Callable[[str], Page]
) -> None:
    second = new_page("/")
    finished_job(page, "both tabs.wav")
    expect(row(second, "both tabs.wav")).to_contain_text("Done", timeout=NEVER_MS)
    page.reload()
    expect(row(page, "both tabs.wav")).to_contain_text("Done")


def test_many_files_each_get_a_row(page: Page) -> None:
    names = [f"part {number}.wav" for number in range(4)]
    choose(page, *map(speech, names))
    for name in names:
        job = page.locator("li[data-status]").filter(has_text=name)  # not its upload, for a moment
        expect(job).to_contain_text("Done", timeout=NEVER_MS)


def test_markup_in_a_file_name_is_text(page: Page) -> None:
    name = "<img src=x onerror=alert(1)>.wav"
    open_job(finished_job(page, name))
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    assert page.locator("main img").count() == 0


def test_the_keyboard_is_enough(page: Page) -> None:
    finished_job(page, "by keyboard.wav")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    row(page, "by keyboard.wav").get_by_role("link", name="Open").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(JOB_PAGE)
    times = page.get_by_role("button", name="Play from")
    expect(times).to_have_count(2)
    times.nth(1).focus()
    page.keyboard.press("Enter")
    until(lambda: played_s(page) > 1)


def test_the_text_is_copied(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_job(finished_job(page, "copied.wav"))
    page.get_by_role("button", name="Copy text").click()
    expect(page.get_by_role("button", name="Copied", exact=True)).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines() == page.locator("[data-segments] p").all_text_contents()


def test_deleting_asks_first(page: Page) -> None:
    found = finished_job(page, "unwanted.wav")
    found.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("unwanted.wav")
    page.get_by_role("button", name="Keep").click()
    expect(found).to_be_visible()
    found.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(found).to_have_count(0)


def test_a_file_that_is_no_audio_fails_with_a_remedy_and_can_be_retried(page: Page) -> None:
    choose(
        page, {"name": "notes.mp3", "mimeType": "audio/mpeg", "buffer": b"just some text\n" * 50}
    )
    failed = row(page, "notes.mp3")
    expect(failed).to_contain_text("Failed", timeout=NEVER_MS)
    expect(failed).to_contain_text("Send audio or video such as wav")
    keep_screenshot(page, "failed")
    failed.get_by_role("button", name="Retry").click()
    expect(failed).to_contain_text("Failed", timeout=NEVER_MS)


@pytest.mark.parametrize(
    ("content", "message"),
    [(bytes(5_000_001), "larger than 5 MB"), (b"", "The file is empty.")],
)
def test_a_file_that_cannot_be_sent_says_why_and_stays_until_dismissed(
    page: Page, content: bytes, message: str
) -> None:
    choose(page, {"name": "refused.wav", "mimeType": "audio/wav", "buffer": content})
    refused = row(page, "refused.wav")
    expect(refused).to_contain_text(message)
    refused.get_by_role("button", name="Dismiss").click()
    expect(refused).to_have_count(0)


def test_a_lost_server_is_told_and_found_again(page: Page, faults: list[str]) -> None:
    banner = page.get_by_text("The server cannot be reached")
    page.route("**/ui/changes*", lambda route: route.abort())
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(banner).to_be_visible()
    page.unroute("**/ui/changes*")
    expect(banner).to_be_hidden()
    assert all("ERR_FAILED" in fault for fault in faults)  # the browser notes each lost request
    faults.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 768, 390])
def test_it_fits_every_screen(page: Page, url: str, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    choose(page, speech(f"{'a long name ' * 10}{width}{scheme}.wav"))
    expect(row(page, f"{width}{scheme}.wav")).to_contain_text("Done", timeout=NEVER_MS)
    for name in ("list", "job"):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        keep_screenshot(page, f"{name}-{width}-{scheme}")
        if name == "list":
            open_job(row(page, f"{width}{scheme}.wav"))
