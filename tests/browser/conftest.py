"""A real Chromium and the real program, with the demo model."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.browser.still import Still, still_server

PROJECT = Path(__file__).parents[2]
SCREENSHOTS = Path(__file__).parent / "screenshots"
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
START_S = 60.0
NEVER_MS = 60_000  # the page's patience with the engine


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        reason = f"there is no browser at {CHROMIUM}"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that runs for all tests, so that one finds what another left."""
    with program(tmp_path_factory.mktemp("server")) as address:
        yield address


@contextmanager
def program(folder: Path) -> Iterator[str]:
    """The address of a program that has done nothing yet."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {
        "PORT": str(port),
        "DATA_DIR": str(folder / "data"),
        "WHISPER_MODEL_DIR": str(folder / "models"),
        "DEFAULT_MODEL": "demo",
        "ENABLE_CACHE": "false",  # the sample is submitted again and again
        "MAX_FILE_SIZE": "5MB",
    }
    command = [sys.executable, "app_main.py"]
    with subprocess.Popen(command, cwd=PROJECT, env=environment) as process:
        address = f"http://localhost:{port}"
        _wait_until_ready(address)
        yield address
        process.terminate()


def _wait_until_ready(address: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/health/ready", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"the server was not ready within {START_S} s")


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    """A server of this test's own on which nothing runs."""
    with still_server(tmp_path) as server:
        yield server


@pytest.fixture
def still_context(browser: Browser, still: Still) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=still.url)
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def faults() -> Iterator[list[str]]:
    """What the browser complained about, Content-Security-Policy included; nothing, at the end."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def context(browser: Browser, url: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def new_page(context: BrowserContext, faults: list[str]) -> Callable[[str], Page]:
    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            faults.append(message.text)

    def open_page(path: str) -> Page:
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(path)
        return page

    return open_page


@pytest.fixture
def page(new_page: Callable[[str], Page]) -> Page:
    return new_page("/")


def keep_screenshot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
