"""The two viewers of the API's document: they work, and they ask no other server for anything."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import keep_screenshot

pytestmark = pytest.mark.browser

VIEWERS = {"swagger": "/api/docs", "redoc": "/api/redoc"}


@pytest.fixture
def asked(context: BrowserContext) -> list[str]:
    """Addresses that any page of the test asked for."""
    found: list[str] = []
    context.on("request", lambda request: found.append(request.url))
    return found


def foreign(asked: list[str], url: str) -> list[str]:
    return [address for address in asked if not address.startswith((url, "data:"))]


def test_swagger_ui_lists_the_operations_and_sends_one(
    new_page: Callable[[str], Page], asked: list[str], url: str
) -> None:
    page = new_page(VIEWERS["swagger"])
    listed = page.locator("#operations-Jobs-jobs_list_jobs")
    expect(listed).to_contain_text("List jobs, newest first")
    assert page.locator(".opblock").count() > 15
    listed.get_by_role("button").first.click()
    listed.get_by_role("button", name="Try it out").click()
    with page.expect_response(lambda answer: "/api/v1/jobs?" in answer.url) as sent:
        listed.get_by_role("button", name="Execute").click()
    assert sent.value.status == 200
    expect(listed.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    expect(listed.locator(".live-responses-table")).to_contain_text('"next_cursor"')
    assert foreign(asked, url) == []


def test_redoc_shows_the_operations(
    new_page: Callable[[str], Page], asked: list[str], url: str
) -> None:
    page = new_page(VIEWERS["redoc"])
    expect(page.get_by_role("heading", name="Submit a recording")).to_be_visible()
    expect(page.get_by_role("heading", name="List jobs, newest first")).to_be_attached()
    assert foreign(asked, url) == []


@pytest.mark.parametrize("path", VIEWERS.values())
def test_a_way_leads_back_to_the_app(new_page: Callable[[str], Page], path: str) -> None:
    page = new_page(path)
    page.get_by_role("link", name="Recordings").click()
    page.wait_for_url(lambda address: address.rstrip("/").count("/") == 2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("viewer", VIEWERS)
def test_it_fits_every_screen(
    new_page: Callable[[str], Page], viewer: str, width: int, scheme: str
) -> None:
    page = new_page("/login")
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(VIEWERS[viewer])
    expect(page.get_by_text("Submit a recording").filter(visible=True).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep_screenshot(page, f"{viewer}-{width}-{scheme}")
