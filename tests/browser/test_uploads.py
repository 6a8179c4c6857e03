"""Files on their way: progress, pause and resume, paste, and the warning before they are lost."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, CDPSession, FilePayload, Locator, Page, expect

from tests.browser.test_page import NEVER_S, SPEECH, choose, row, speech

pytestmark = pytest.mark.browser

SLOW_BYTES_S = 60_000


@pytest.fixture
def uplink(page: Page, context: BrowserContext) -> CDPSession:
    """One for all limits: each session keeps its own, and the lowest counts."""
    return context.new_cdp_session(page)


def slow_down(uplink: CDPSession, bytes_s: int) -> None:
    """Uploads go at this speed; -1 takes the limit away."""
    uplink.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_s},
    )


def long_speech(name: str) -> FilePayload:
    """A recording that takes a while to send: what follows a wav's data is not read."""
    return {"name": name, "mimeType": "audio/wav", "buffer": SPEECH.read_bytes() + bytes(900_000)}


def button(page: Page, word: str, name: str) -> Locator:
    return row(page, name).get_by_role("button", name=f"{word} {name}")


def warns_before_leaving(page: Page) -> bool:
    ask = "() => !dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    return bool(page.evaluate(ask))


def test_an_upload_is_paused_resumed_and_done(page: Page, uplink: CDPSession) -> None:
    slow_down(uplink, SLOW_BYTES_S)
    files = ["first.wav", "second.wav", "third.wav"]
    choose(page, *map(long_speech, files))
    expect(row(page, "first.wav")).to_contain_text(
        re.compile(r"Sending \d+ %.*kB of 1.1\sMB, .*kB/s")
    )
    expect(row(page, "third.wav")).to_contain_text("Waiting to be sent")
    assert warns_before_leaving(page)

    button(page, "Pause", "third.wav").click()
    expect(row(page, "third.wav")).to_contain_text("Paused, nothing sent yet")
    button(page, "Pause", "first.wav").click()
    expect(row(page, "first.wav")).to_contain_text("Resume sends it again from the start")
    button(page, "Cancel", "second.wav").click()
    expect(row(page, "second.wav")).to_have_count(0)
    assert warns_before_leaving(page)

    slow_down(uplink, -1)
    for name in ("first.wav", "third.wav"):
        button(page, "Resume", name).click()
        expect(row(page, name)).to_contain_text("Done", timeout=NEVER_S)
    assert not warns_before_leaving(page)


def test_a_paused_file_lets_the_next_one_go(page: Page, uplink: CDPSession) -> None:
    slow_down(uplink, SLOW_BYTES_S)
    choose(page, *map(long_speech, ["one.wav", "two.wav"]), speech("three.wav"))
    expect(row(page, "three.wav")).to_contain_text("Waiting to be sent")
    button(page, "Pause", "one.wav").click()
    expect(row(page, "three.wav")).to_contain_text("Done", timeout=NEVER_S)
    for name in ("one.wav", "two.wav"):
        button(page, "Cancel", name).click()


def test_pasted_files_are_taken(page: Page) -> None:
    page.evaluate(
        """(bytes) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([new Uint8Array(bytes)], "pasted.wav"));
            const options = { clipboardData, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new ClipboardEvent("paste", options));
        }""",
        list(SPEECH.read_bytes()),
    )
    expect(row(page, "pasted.wav")).to_contain_text("Done", timeout=NEVER_S)


def test_pasted_text_is_left_to_its_field(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('Ada')")
    page.get_by_text("More options").click()
    field = page.locator("#prompt")
    field.focus()
    page.keyboard.press("Control+V")
    expect(field).to_have_value("Ada")
    expect(page.locator("[data-uploads] li")).to_have_count(0)
