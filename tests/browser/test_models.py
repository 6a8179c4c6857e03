"""The page of the models, with a server of one model file that can be slow."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import NEVER_MS, keep_screenshot
from tests.model_server import BODY, ModelServer
from tests.running import running, settings_for
from voice_transcriber.app import create_app
from voice_transcriber.services import Services
from voice_transcriber.web.server import serve

HELD = 120_000  # bytes that the slow server sends before it waits

pytestmark = pytest.mark.browser


@pytest.fixture
def files() -> Iterator[ModelServer]:
    with ModelServer.running() as files:
        yield files


@pytest.fixture
def services(tmp_path: Path, files: ModelServer) -> Iterator[Services]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with running(settings_for(tmp_path, PORT=port), published=files.published()) as services:
        services.settings.whisper_model_dir.mkdir()
        yield services


@pytest.fixture
def url(services: Services, tmp_path: Path) -> Iterator[str]:
    """In place of the program of the other tests: here the published models are our own."""
    before = tempfile.tempdir  # serving moves the process's temporary files
    app = create_app(services.settings, services)
    server = serve(app, services, spool_dir=tmp_path / "spool")
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://localhost:{server.port}"
    server.close()
    thread.join()
    tempfile.tempdir = before


@pytest.fixture
def page(new_page: Callable[[str], Page]) -> Page:
    return new_page("/models")


def model(page: Page, name: str) -> Locator:
    return page.locator(f"[data-model='{name}']")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name)


def section(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


def test_a_download_is_watched_cancelled_and_resumed(page: Page, files: ModelServer) -> None:
    files.held_after = HELD
    expect(section(page, "To download")).to_contain_text("Quick; fair text")
    button(page, "Download base").click()
    expect(model(page, "base")).to_contain_text(f"{HELD / len(BODY):.0%}".replace("%", " %"))
    expect(model(page, "base").get_by_role("progressbar")).to_be_visible()
    keep_screenshot(page, "models-download")
    button(page, "Cancel the download of base").click()
    expect(model(page, "base")).to_contain_text("120 kB of 300 kB are here")
    files.held_after = None
    files.go_on.set()
    button(page, "Resume base").click()
    expect(section(page, "On this machine")).to_contain_text("Quick; fair text", timeout=NEVER_MS)
    expect(section(page, "To download")).to_contain_text("Every published model is on this machine")


def test_a_failure_is_told_and_can_be_tried_again(page: Page, files: ModelServer) -> None:
    files.statuses = [404]
    button(page, "Download base").click()
    expect(model(page, "base")).to_contain_text("base.pt could not be downloaded")
    expect(model(page, "base")).to_contain_text("WHISPER_MODEL_DIR")
    button(page, "Download base").click()
    expect(section(page, "On this machine")).to_contain_text("Quick; fair text", timeout=NEVER_MS)


@pytest.fixture
def own(services: Services) -> Path:
    file = services.settings.whisper_model_dir / "court-2026.pt"
    file.write_bytes(BODY)
    return file


def test_a_file_of_ones_own_is_deleted_only_when_it_is_meant(own: Path, page: Page) -> None:
    button(page, "Delete court-2026").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("cannot be downloaded again")
    dialog.get_by_role("button", name="Keep").click()
    expect(model(page, "court-2026")).to_be_visible()
    button(page, "Delete court-2026").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(model(page, "court-2026")).to_have_count(0)
    assert not own.exists()


def test_what_is_refused_is_told_at_the_model(own: Path, page: Page, faults: list[str]) -> None:
    own.unlink()  # behind the page's back
    button(page, "Delete court-2026").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(model(page, "court-2026")).to_contain_text("There is no model 'court-2026'")
    assert "400" in faults.pop()  # the browser tells of every refusal


@pytest.fixture
def huge(services: Services) -> None:
    with (services.settings.whisper_model_dir / "huge.pt").open("wb") as file:
        file.truncate(10**13)  # takes no room on the disk


def test_a_model_that_does_not_fit_is_marked_here_and_in_the_picker(
    huge: None, page: Page, new_page: Callable[[str], Page]
) -> None:
    expect(model(page, "huge")).to_contain_text("It does not fit now")
    expect(model(page, "demo")).not_to_contain_text("It does not fit now")
    picker = new_page("/")
    picker.locator("#model").select_option("huge")
    expect(picker.locator("[data-model-note]")).to_contain_text("30 TB of memory")
