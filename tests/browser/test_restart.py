"""The server is killed while a page sends a file to it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import NEVER_MS
from tests.browser.test_page import SPEECH, row
from tests.browser.test_uploads import choose_slowly, slow_down
from tests.faults.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "server")
    server.start()
    yield server
    server.close()


def test_a_file_goes_on_by_itself_after_a_restart(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    recording = tmp_path / "cut off.wav"
    recording.write_bytes(SPEECH.read_bytes() + os.urandom(900_000))
    context = browser.new_context(base_url=server.address)
    page = context.new_page()
    page.goto("/")
    uplink = context.new_cdp_session(page)
    choose_slowly(page, uplink, recording)
    offsets = []
    page.on(
        "request",
        lambda sent: (
            offsets.append(int(sent.headers["upload-offset"])) if sent.method == "PATCH" else None
        ),
    )

    server.kill()
    sending = row(page, recording.name)
    expect(sending).to_contain_text("Waiting for the server", timeout=NEVER_MS)
    expect(sending).to_contain_text("It goes on by itself.")
    expect(sending).to_contain_text(re.compile(r"kB of 1.1\sMB"))

    server.start()
    slow_down(uplink, -1)
    expect(sending).to_contain_text("Done", timeout=NEVER_MS)
    expect(sending).to_have_count(1)
    assert min(offsets) > 0
    job = next(server.jobs())
    audio = server.web.get(f"/api/v1/jobs/{job['id']}/audio").content
    context.close()
    assert hashlib.sha256(audio).digest() == hashlib.sha256(recording.read_bytes()).digest()
