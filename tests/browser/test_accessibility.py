"""axe finds nothing to object to: every page, light and dark, wide and narrow."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.still import SPEECH, Still, one_of_each

pytestmark = pytest.mark.browser

PAGES = ("/", "/?status=failed&q=nothing", "/models", "/system", "/settings")
STATES = ("completed", "failed", "cancelled", "downloading", "running", "queued")


def open_details(page: Page) -> None:
    for summary in page.locator("summary").all():
        if summary.is_visible():
            summary.click()


def faults_of(page: Page) -> list[str]:
    """Each fault with the places where axe found it."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{page.url}: {found['id']}: {node['html'][:200]} {node['failureSummary']}"
        for found in violations
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_no_fault(browser: Browser, still: Still, width: int, scheme: str) -> None:
    context = browser.new_context(
        base_url=still.url,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto("/")
    faults = faults_of(page)  # the empty list
    ids = one_of_each(still.services)
    for path in (*PAGES, *(f"/jobs/{ids[state]}" for state in STATES)):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        open_details(page)
        if path == "/":
            page.get_by_role("checkbox", name="Select all shown").check()
            expect(page.get_by_text("7 selected")).to_be_visible()
        faults += faults_of(page)
    context.close()
    assert faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_in_files_on_their_way(
    browser: Browser, still: Still, scheme: str
) -> None:
    context = browser.new_context(
        base_url=still.url, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    one_of_each(still.services)
    page.goto("/")
    begun = page.evaluate(
        """async () => {
            const headers = { "Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata":
                "filename YmVndW4ud2F2" };
            const answer = await fetch("/files", { method: "POST", headers });
            const fields = { model: "demo" };
            const entry = { name: "begun.wav", size: 9, lastModified: 0, fields };
            localStorage.setItem("upload:" + answer.headers.get("Location"), JSON.stringify(entry));
            return answer.status;
        }"""
    )
    assert begun == 201
    page.reload()
    contents = {"empty.wav": b"", "known.wav": SPEECH.read_bytes()}
    page.locator("#files").set_input_files(
        [
            FilePayload(name=name, mimeType="audio/wav", buffer=content)
            for name, content in contents.items()
        ]
    )
    for text in ("Not finished", "The file is empty.", "Known already"):
        expect(page.locator("[data-uploads]")).to_contain_text(text)
    assert faults_of(page) == []
    context.close()
