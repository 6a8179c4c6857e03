"""The page of a program that has done nothing yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NEVER_MS, keep_screenshot, program

pytestmark = pytest.mark.browser


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with program(tmp_path) as address:
        yield address


def test_an_empty_list_offers_a_sample(page: Page) -> None:
    keep_screenshot(page, "empty")
    sample = page.get_by_role("button", name="Try the sample recording")
    sample.click()
    job = page.get_by_role("listitem").filter(has_text="sample")
    expect(job).to_contain_text("Done", timeout=NEVER_MS)
    expect(sample).to_be_hidden()
