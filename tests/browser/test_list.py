"""The list: what it shows, what is done with many rows, and what it tells."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import NEVER_MS
from tests.browser.still import Still, one_of_each
from tests.contract.makers import ERROR
from voice_transcriber.job import JobStatus, Priority
from voice_transcriber.transcript.exporters.names import safe_stem

pytestmark = pytest.mark.browser


@pytest.fixture
def ids(still: Still) -> Mapping[str, str]:
    return one_of_each(still.services)


@pytest.fixture
def page(ids: Mapping[str, str], still_context: BrowserContext) -> Page:
    page = still_context.new_page()
    page.goto("/")
    return page


def names(page: Page) -> Locator:
    return page.locator("[data-jobs] .job-name")


def row(page: Page, job_id: str) -> Locator:
    return page.locator(f"[data-key='{job_id}']")


def view(page: Page, name: str) -> Locator:
    return page.get_by_role("navigation", name="Show recordings").get_by_role("link", name=name)


def pick(page: Page, *job_ids: str) -> None:
    for job_id in job_ids:
        row(page, job_id).get_by_role("checkbox").check()


def report(page: Page) -> Locator:
    return page.locator("[data-bulk-report]")


# Filter and search


def test_a_view_shows_one_state_and_reload_and_back_keep_it(page: Page) -> None:
    view(page, "Failed 1").click()
    expect(names(page)).to_have_text(["damaged.wav"])
    expect(page).to_have_url(re.compile(r"/\?status=failed$"))
    page.reload()
    expect(names(page)).to_have_text(["damaged.wav"])
    view(page, "Cancelled 1").click()
    expect(names(page)).to_have_text(["wrong file.ogg"])
    page.go_back()
    expect(names(page)).to_have_text(["damaged.wav"])
    expect(view(page, "Failed 1")).to_have_attribute("aria-current", "true")


def test_search_narrows_while_typing_and_can_be_cleared(page: Page) -> None:
    field = page.get_by_role("searchbox", name="Search by name")
    field.press_sequentially("BOARD")
    expect(names(page)).to_have_text(["board meeting.flac"])
    expect(page).to_have_url(re.compile(r"\?q=BOARD$"))
    page.reload()
    expect(field).to_have_value("BOARD")
    view(page, "Failed").click()
    expect(page.get_by_text("No recording fits what you look for.")).to_be_visible()
    expect(page.get_by_role("button", name="Try the sample recording")).to_be_hidden()
    page.get_by_role("link", name="Clear filter").click()
    expect(names(page)).to_have_count(7)
    expect(field).to_have_value("")


def test_what_happens_respects_the_filter(page: Page, still: Still, ids: Mapping[str, str]) -> None:
    view(page, "Waiting 2").click()
    expect(names(page)).to_have_count(2)
    still.store.cancel(ids["low"])
    still.store.retry(ids["failed"], max_queued=9)
    expect(names(page)).to_have_text(["board meeting.flac", "damaged.wav"], timeout=NEVER_MS)
    expect(view(page, "Cancelled 2")).to_be_visible()


def test_a_list_that_cannot_be_loaded_says_so_and_offers_another_try(page: Page) -> None:
    page.route("**/ui/jobs*", lambda route: route.abort())
    view(page, "Failed").click()
    expect(page.get_by_role("alert").filter(has_text="cannot be reached")).to_be_visible()
    expect(names(page)).to_have_count(0)
    page.unroute("**/ui/jobs*")
    page.get_by_role("button", name="Try again").click()
    expect(names(page)).to_have_text(["damaged.wav"])


# Many at once


def test_nothing_selected_offers_nothing(page: Page, ids: Mapping[str, str]) -> None:
    group = page.get_by_role("group", name="Selected recordings")
    expect(group).to_be_hidden()
    pick(page, ids["completed"])
    expect(page.get_by_text("1 selected")).to_be_visible()
    expect(group.get_by_role("button", name="Cancel")).to_be_disabled()
    expect(group.get_by_role("button", name="Download")).to_be_enabled()


def test_cancelling_many_tells_what_was_left_and_why(
    page: Page, still: Still, ids: Mapping[str, str]
) -> None:
    page.get_by_role("checkbox", name="Select all shown").check()
    expect(page.get_by_text("7 selected")).to_be_visible()
    page.get_by_role("group", name="Selected").get_by_role("button", name="Cancel").click()
    expect(report(page)).to_contain_text("Cancelled 4 recordings.")
    expect(report(page)).to_contain_text("Left as it was: 1 recording. The job is completed")
    expect(row(page, ids["queued"])).to_contain_text("Cancelled")
    assert still.store.get(ids["low"]).status is JobStatus.CANCELLED
    expect(page.get_by_text("Select all shown")).to_be_visible()


def test_many_are_queued_again(page: Page, ids: Mapping[str, str]) -> None:
    pick(page, ids["failed"], ids["cancelled"])
    page.get_by_role("group", name="Selected").get_by_role("button", name="Retry").click()
    expect(report(page)).to_have_text("Queued again: 2 recordings.")
    expect(row(page, ids["failed"])).to_contain_text("Waiting")


def test_deleting_many_asks_first(page: Page, ids: Mapping[str, str]) -> None:
    pick(page, ids["failed"], ids["cancelled"], ids["queued"])
    delete = page.get_by_role("group", name="Selected").get_by_role("button", name="Delete")
    delete.click()
    dialog = page.get_by_role("dialog", name="Delete 2 recordings?")
    dialog.get_by_role("button", name="Keep").click()
    expect(names(page)).to_have_count(7)
    delete.click()
    dialog.get_by_role("button", name="Delete").click()
    expect(names(page)).to_have_count(5)
    expect(report(page)).to_contain_text("Deleted 2 recordings. Left as it was: 1 recording.")


def test_many_are_downloaded_as_one_zip(page: Page, ids: Mapping[str, str]) -> None:
    pick(page, ids["completed"], ids["queued"])
    page.get_by_role("combobox", name="Format of the download").select_option("srt")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename == "transcripts.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == [f"{safe_stem('interview with Ada.mp3')}.srt"]
    expect(report(page)).to_contain_text("1 recording left out")


# Priority


def test_a_waiting_job_is_moved_ahead(page: Page, still: Still, ids: Mapping[str, str]) -> None:
    expect(row(page, ids["low"])).to_contain_text("number 2 in line")
    choice = page.get_by_role("combobox", name="Priority of archive 1987.wav")
    expect(choice).to_have_value("low")
    choice.select_option("high")
    expect(row(page, ids["low"])).to_contain_text("next in line")
    assert still.store.get(ids["low"]).priority is Priority.HIGH
    page.goto(f"/jobs/{ids['low']}")
    expect(choice).to_have_value("high")
    choice.select_option("low")
    expect(page.get_by_text("number 2 in line")).to_be_visible()


def test_a_priority_that_comes_too_late_is_taken_back(
    page: Page, still: Still, ids: Mapping[str, str]
) -> None:
    page.route("**/ui/changes*", lambda route: route.abort())  # the page has not heard of it
    still.store.cancel(ids["low"])
    choice = page.get_by_role("combobox", name="Priority of archive 1987.wav")
    choice.select_option("high")
    expect(row(page, ids["low"]).get_by_role("alert")).to_contain_text("The job is cancelled")
    expect(choice).to_have_value("low")


# What it tells


def test_remaining_time_parts_and_times_are_shown(page: Page, ids: Mapping[str, str]) -> None:
    expect(row(page, ids["running"])).to_contain_text("about 10 min left")
    expect(row(page, ids["running"]).locator("time")).to_have_text(re.compile("just now|min ago"))
    page.goto(f"/jobs/{ids['running']}")
    parts = page.get_by_role("list", name="Parts of the recording").get_by_role("listitem")
    expect(parts).to_have_text(
        ["Part 1, 0:00 to 1:00: done", "Part 2, 1:00 to 2:00: in work, 50 %, attempt 2"]
    )
    expect(page.get_by_text("Worked on in parts: 1 of 2 done, more follow")).to_be_visible()


def test_the_job_page_says_where_the_time_went(page: Page, ids: Mapping[str, str]) -> None:
    page.goto(f"/jobs/{ids['completed']}")
    page.get_by_text("Performance").click()
    table = page.get_by_role("table", name="Where the time went")
    expect(table.get_by_role("row", name="Writing the text")).to_contain_text("30 s")
    expect(table.get_by_role("row", name="All else")).to_contain_text("3.6 s")


UNWATCHED = """
    document.hasFocus = () => false;
    window.told = [];
    window.Notification = class extends Notification {
        constructor(title, options) { super(title, options); told.push(title); }
    };
"""


def test_an_end_is_told_to_who_asked_for_it_once(
    still: Still, ids: Mapping[str, str], still_context: BrowserContext
) -> None:
    still_context.grant_permissions(["notifications"])
    page = still_context.new_page()
    page.add_init_script(UNWATCHED)
    page.goto("/?status=queued")  # whatever is shown
    tell = page.get_by_role("checkbox", name="Tell me when done")
    expect(tell).not_to_be_checked()
    tell.check()
    page.reload()
    expect(tell).to_be_checked()
    done = still.jobs.new(id="new", filename="talk.wav")
    still.store.add(done, max_queued=9)
    expect(names(page).first).to_have_text("talk.wav", timeout=NEVER_MS)
    still.store.cancel(ids["queued"])
    still.store.cancel(ids["low"])
    still.store.fail(still.jobs.claim(), ERROR, {})  # the new one: nothing else waits
    expect(page).to_have_title("(1 done) Voice Transcriber", timeout=NEVER_MS)
    assert page.evaluate("told") == ["talk.wav has failed"]
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page).to_have_title("Voice Transcriber")
