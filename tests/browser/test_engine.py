"""A recording whose engine is chosen on the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import keep_screenshot
from tests.browser.test_page import finished_job, open_job

pytestmark = pytest.mark.browser


def test_the_engine_that_is_chosen_computes_the_recording(page: Page) -> None:
    page.get_by_text("More options").click()
    engine = page.get_by_label("Engine")
    expect(engine).to_have_value("")
    engine.select_option("faster-whisper")
    keep_screenshot(page, "engine")
    open_job(finished_job(page, "by another engine.wav"))
    expect(page.get_by_role("heading", name="Text")).to_be_visible()
    page.get_by_text("Performance").click()
    figures = page.locator(".performance")
    expect(figures).to_contain_text("CPU, int8")
    expect(figures).to_contain_text("Engine")
    expect(figures).to_contain_text("faster-whisper")
