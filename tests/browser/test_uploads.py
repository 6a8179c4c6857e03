"""Files on their way: pause and resume, reload, known recordings, paste."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import (
    APIResponse,
    Browser,
    BrowserContext,
    CDPSession,
    Locator,
    Page,
    Route,
    expect,
)

from tests.browser.conftest import NEVER_MS
from tests.browser.relay import Relay, relay_to
from tests.browser.still import still_server
from tests.browser.test_page import SPEECH, choose, row, speech

pytestmark = pytest.mark.browser

SLOW_BYTES_S = 200_000
TAIL_BYTES = 900_000  # makes a recording take a while to send
SENDING = re.compile(r"Sending \d+ %.*kB of 1.1\sMB, .*kB/s")
POLLS_BYTES = 150_000  # what the page asks for while a file is sent; less than the least piece


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


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """On the disk, so that it is the same file when it is chosen again."""
    path = tmp_path / f"long talk {os.urandom(4).hex()}.wav"
    path.write_bytes(SPEECH.read_bytes() + os.urandom(TAIL_BYTES))
    return path


def button(page: Page, word: str, name: str) -> Locator:
    return row(page, name).get_by_role("button", name=f"{word} {name}")


def warns_before_leaving(page: Page) -> bool:
    ask = "() => !dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    return bool(page.evaluate(ask))


def set_options(page: Page, options: dict[str, str]) -> None:
    """These and no others, whatever was chosen before."""
    page.evaluate(
        """(options) => {
            const form = document.querySelector("[data-drop]");
            for (const name of ["hotwords", "prompt", "from", "language"]) {
                form.elements[name].value = options[name] ?? "";
            }
        }""",
        options,
    )


def upload_address(page: Page) -> str:
    """Where the file goes that is being sent."""
    with page.expect_request(lambda request: request.method == "PATCH") as sent:
        pass
    return sent.value.url


def choose_slowly(page: Page, uplink: CDPSession, path: Path) -> str:
    """The address of its upload, of which a piece has arrived and the end has not."""
    slow_down(uplink, SLOW_BYTES_S)
    page.locator("#files").set_input_files(path)
    address = upload_address(page)
    page.wait_for_event("requestfinished", lambda request: request.method == "PATCH")
    return address


def reload_unfinished(page: Page, path: Path) -> Locator:
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    unfinished = row(page, path.name)
    expect(unfinished).to_contain_text(re.compile("Not finished.*kB of 1.1\\sMB"))
    return unfinished


def offset_of(address: str) -> int:
    answer = httpx.head(address, headers={"Tus-Resumable": "1.0.0"}, trust_env=False)
    assert answer.status_code == 200
    return int(answer.headers["Upload-Offset"])


def is_gone(address: str) -> bool:
    answer = httpx.head(address, headers={"Tus-Resumable": "1.0.0"}, trust_env=False)
    return answer.status_code == 404


@pytest.fixture
def relay(url: str) -> Iterator[Relay]:
    with relay_to(urlsplit(url).port or 0) as relay:
        yield relay


def test_what_was_sent_before_a_pause_is_not_sent_again(
    browser: Browser, relay: Relay, recording: Path
) -> None:
    context = browser.new_context(base_url=f"http://localhost:{relay.port}")
    page = context.new_page()
    page.goto("/")
    uplink = context.new_cdp_session(page)
    before_bytes = relay.sent_bytes
    choose_slowly(page, uplink, recording)
    for _ in range(2):
        button(page, "Pause", recording.name).click()
        expect(row(page, recording.name)).to_contain_text("Paused at", timeout=NEVER_MS)
        button(page, "Resume", recording.name).click()
        expect(row(page, recording.name)).to_contain_text("Sending")
    slow_down(uplink, -1)
    expect(row(page, recording.name)).to_contain_text("Done", timeout=NEVER_MS)
    sent_bytes = relay.sent_bytes - before_bytes
    context.close()
    size_bytes = recording.stat().st_size
    assert size_bytes <= sent_bytes < size_bytes + POLLS_BYTES


def test_files_are_paused_cancelled_and_done(page: Page, uplink: CDPSession) -> None:
    slow_down(uplink, SLOW_BYTES_S)
    files = ["first.wav", "second.wav", "third.wav"]
    choose(page, *(speech(name, more_bytes=TAIL_BYTES) for name in files))
    expect(row(page, "first.wav")).to_contain_text(SENDING)
    expect(row(page, "third.wav")).to_contain_text("Waiting to be sent")
    assert warns_before_leaving(page)

    button(page, "Pause", "third.wav").click()
    expect(row(page, "third.wav")).to_contain_text("Paused, nothing sent yet")
    button(page, "Pause", "first.wav").click()
    expect(row(page, "first.wav")).to_contain_text("Paused at", timeout=NEVER_MS)
    button(page, "Cancel", "second.wav").click()
    expect(row(page, "second.wav")).to_have_count(0)
    assert warns_before_leaving(page)

    slow_down(uplink, -1)
    for name in ("first.wav", "third.wav"):
        button(page, "Resume", name).click()
        expect(row(page, name)).to_contain_text("Done", timeout=NEVER_MS)
    assert not warns_before_leaving(page)


def test_a_paused_file_lets_the_next_one_go(page: Page, uplink: CDPSession) -> None:
    slow_down(uplink, SLOW_BYTES_S)
    large = [speech(name, more_bytes=TAIL_BYTES) for name in ("one.wav", "two.wav")]
    choose(page, *large, speech("three.wav"))
    expect(row(page, "three.wav")).to_contain_text("Waiting to be sent")
    expect(row(page, "one.wav")).to_contain_text(SENDING)
    button(page, "Pause", "one.wav").click()
    expect(row(page, "three.wav")).to_contain_text("Done", timeout=NEVER_MS)
    expect(row(page, "one.wav")).to_contain_text("Paused at", timeout=NEVER_MS)


def test_cancel_takes_it_back_from_the_server(
    page: Page, uplink: CDPSession, recording: Path
) -> None:
    address = choose_slowly(page, uplink, recording)
    assert offset_of(address) > 0
    with page.expect_response(lambda response: response.request.method == "DELETE") as taken_back:
        button(page, "Cancel", recording.name).click()
    assert taken_back.value.status == 204
    assert is_gone(address)
    expect(page.locator("#files")).to_be_focused()
    page.reload()
    expect(row(page, recording.name)).to_have_count(0)


@pytest.mark.parametrize("way", ["its own button", "like any file"])
def test_it_goes_on_after_a_reload_with_the_same_file(
    page: Page, uplink: CDPSession, recording: Path, way: str
) -> None:
    address = choose_slowly(page, uplink, recording)
    unfinished = reload_unfinished(page, recording)
    arrived_bytes = offset_of(address)
    assert 0 < arrived_bytes < recording.stat().st_size
    slow_down(uplink, -1)
    pieces = []
    page.on("request", lambda sent: pieces.append(sent) if sent.method == "PATCH" else None)
    if way == "like any file":
        page.locator("#files").set_input_files(recording)
    else:
        with page.expect_file_chooser() as chooser:
            unfinished.get_by_role("button", name="Choose file").click()
        chooser.value.set_files(recording)
    expect(row(page, recording.name)).to_contain_text("Done", timeout=NEVER_MS)
    assert [piece.url for piece in pieces[:1]] == [address]
    assert pieces[0].headers["upload-offset"] == str(arrived_bytes)


def test_another_file_is_not_mixed_into_an_unfinished_one(
    page: Page, uplink: CDPSession, recording: Path, tmp_path: Path
) -> None:
    address = choose_slowly(page, uplink, recording)
    unfinished = reload_unfinished(page, recording)
    arrived_bytes = offset_of(address)
    other = tmp_path / "other" / recording.name
    other.parent.mkdir()
    other.write_bytes(bytes(recording.stat().st_size))
    os.utime(other, (1_000_000_000, 1_000_000_000))
    with page.expect_file_chooser() as chooser:
        unfinished.get_by_role("button", name="Choose file").click()
    chooser.value.set_files(other)
    expect(unfinished).to_contain_text("This is not the file that was begun")
    assert offset_of(address) == arrived_bytes

    with page.expect_response(lambda response: response.request.method == "DELETE"):
        unfinished.get_by_role("button", name="Remove").click()
    expect(unfinished).to_have_count(0)
    assert is_gone(address)


def test_another_tab_shows_it_when_its_page_is_closed(
    page: Page, uplink: CDPSession, recording: Path, new_page: Callable[[str], Page]
) -> None:
    second = new_page("/")
    choose_slowly(page, uplink, recording)
    third = new_page("/")
    expect(third.locator("[data-uploads] li")).to_have_count(0)
    page.close()
    for other in (second, third):
        expect(row(other, recording.name)).to_contain_text("Not finished")
    second.get_by_role("button", name="Remove").click()
    expect(row(third, recording.name)).to_have_count(0)


def test_a_sent_file_becomes_a_job_after_a_reload(page: Page, faults: list[str]) -> None:
    page.route("**/api/v1/jobs", lambda route: route.abort())
    choose(page, speech("sent.wav"))
    expect(row(page, "sent.wav")).to_contain_text("Waiting for the server")
    page.on("dialog", lambda dialog: dialog.accept())
    page.unroute("**/api/v1/jobs")
    page.reload()
    expect(row(page, "sent.wav")).to_contain_text("Done", timeout=NEVER_MS)
    expect(row(page, "sent.wav")).to_have_count(1)
    assert all("ERR_FAILED" in fault for fault in faults)  # the browser notes each lost request
    faults.clear()


def test_a_known_recording_is_found_before_it_is_sent(page: Page) -> None:
    known = speech("known.wav")
    choose(page, known)
    expect(row(page, "known.wav")).to_contain_text("Done", timeout=NEVER_MS)

    places = []
    page.on("request", lambda sent: places.append(sent.url) if "/files" in sent.url else None)
    choose(page, {**known, "name": "copy.wav"})
    found = row(page, "copy.wav")
    expect(found).to_contain_text("This recording is in the list, as known.wav.")
    assert places == []
    assert not warns_before_leaving(page)

    found.get_by_role("button", name="Send anyway").click()
    expect(row(page, "copy.wav")).to_contain_text("Done", timeout=NEVER_MS)
    choose(page, {**known, "name": "again.wav"})
    row(page, "again.wav").get_by_role("link", name="Open again.wav").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("copy.wav")


def test_known_recordings_are_sent_where_they_are_wanted_anew(page: Page) -> None:
    known = speech("before.wav")
    choose(page, known)
    expect(row(page, "before.wav")).to_contain_text("Done", timeout=NEVER_MS)
    page.get_by_text("More options").click()
    page.get_by_label("Transcribe anew").check()
    choose(page, {**known, "name": "anew.wav"})
    expect(row(page, "anew.wav")).to_contain_text("Done", timeout=NEVER_MS)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({}, {"hotwords": "Ada"}),
        ({}, {"from": "0:01"}),
        ({}, {"language": "de"}),
        ({"language": "de"}, {}),
        ({"prompt": "Of numbers."}, {}),
        ({"from": "0:01"}, {}),
    ],
)
def test_known_recordings_are_sent_where_the_options_make_another_job(
    page: Page, first: dict[str, str], then: dict[str, str]
) -> None:
    name = f"plain {os.urandom(4).hex()}.wav"
    known = speech(name)
    set_options(page, first)
    choose(page, known)
    expect(row(page, name)).to_contain_text("Done", timeout=NEVER_MS)
    set_options(page, then)
    choose(page, {**known, "name": f"other {name}"})
    expect(row(page, f"other {name}")).to_contain_text("Done", timeout=NEVER_MS)


def test_cancel_takes_back_the_job_that_is_just_being_made(page: Page, faults: list[str]) -> None:
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/api/v1/jobs", lambda route: held.append((route, route.fetch())))
    choose(page, speech("regret.wav"))
    sending = page.locator("[data-uploads] li")
    expect(sending).to_contain_text("Being stored")
    while not held:
        page.wait_for_timeout(50)
    route, answer = held[0]
    sending.get_by_role("button", name="Cancel").click()
    expect(sending).to_have_count(0)
    with page.expect_response(f"**/api/v1/jobs/{answer.json()['id']}") as taken_back:
        route.fulfill(response=answer)
    assert taken_back.value.request.method == "DELETE"
    assert taken_back.value.ok
    expect(page.locator("[data-announce]")).not_to_have_text("regret.wav: sent")
    assert faults == []


def test_the_list_goes_on_while_a_file_is_looked_at_for_long(page: Page) -> None:
    held: list[Route] = []
    page.route("**/api/v1/jobs", lambda route: route.continue_() if held else held.append(route))
    choose(page, speech("scanned.wav"))
    expect(row(page, "scanned.wav")).to_contain_text("Being stored")
    while not held:
        page.wait_for_timeout(50)
    choose(page, speech("next.wav"))
    expect(row(page, "next.wav")).to_contain_text("Done", timeout=NEVER_MS)
    expect(row(page, "scanned.wav")).to_contain_text("Being stored")
    held[0].continue_()
    expect(row(page, "scanned.wav")).to_contain_text("Done", timeout=NEVER_MS)
    expect(row(page, "scanned.wav")).to_have_count(1)


def test_options_that_do_not_fit_are_told_before_anything_is_sent(
    page: Page, faults: list[str]
) -> None:
    page.get_by_label("Model").select_option("tiny.en")
    page.get_by_label("Language").select_option("de")
    choose(page, speech("unfit.wav"))
    expect(row(page, "unfit.wav")).to_contain_text("understands English only. Choose tiny")
    button(page, "Dismiss", "unfit.wav").click()
    assert all("400" in fault for fault in faults)
    faults.clear()


def test_a_full_queue_is_waited_for(browser: Browser, tmp_path: Path) -> None:
    with still_server(tmp_path, MAX_QUEUE_SIZE="1") as still:
        first = still.jobs.queued()
        context = browser.new_context(base_url=still.url)
        page = context.new_page()
        page.goto("/")
        choose(page, speech("patient.wav"))
        waiting = row(page, "patient.wav")
        expect(waiting).to_contain_text(
            re.compile(r"queue is full.* goes on by itself within \d+ s")
        )
        still.services.manager.cancel(first.id)
        page.evaluate("dispatchEvent(new Event('online'))")  # rather than wait for half a minute
        expect(page.locator("[data-jobs] li").filter(has_text="patient.wav")).to_be_visible()
        expect(waiting).to_have_count(1)
        context.close()


def test_a_file_never_has_two_rows(page: Page) -> None:
    page.evaluate(
        """() => {
            window.doubles = new Set();
            const look = () => {
                const shown = [...document.querySelectorAll(".job .job-name")];
                const names = shown.map((one) => one.textContent);
                const again = names.filter((name, at) => names.indexOf(name) !== at);
                again.forEach((name) => doubles.add(name));
                requestAnimationFrame(look);
            };
            look();
        }"""
    )
    names = [f"single {number}.wav" for number in range(8)]
    choose(page, *map(speech, names))
    for name in names:
        expect(row(page, name)).to_contain_text("Done", timeout=NEVER_MS)
    assert page.evaluate("[...doubles]") == []


def test_pasted_files_are_taken(page: Page) -> None:
    page.evaluate(
        """(bytes) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([new Uint8Array(bytes)], "pasted.wav"));
            const options = { clipboardData, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new ClipboardEvent("paste", options));
        }""",
        list(speech("pasted.wav")["buffer"]),
    )
    expect(row(page, "pasted.wav")).to_contain_text("Done", timeout=NEVER_MS)


def test_pasted_text_is_left_to_its_field(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('Ada')")
    page.get_by_text("More options").click()
    field = page.locator("#prompt")
    field.focus()
    page.keyboard.press("Control+V")
    expect(field).to_have_value("Ada")
    expect(page.locator("[data-uploads] li")).to_have_count(0)
