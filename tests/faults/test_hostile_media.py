"""Each kind of hostile recording once, through the real server; `make faults` sends 200 of them."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from tests.faults import hostile_media
from tests.faults.canary import Canary
from tests.faults.corpus import KINDS
from tests.running import until

FILES = 40

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="watches files by inotify"),
]


def test_hostile_recordings_end_soon_and_touch_nothing(tmp_path: Path) -> None:
    found = hostile_media.run(tmp_path, files=FILES)
    assert found["violations"] == []
    assert (found["files"], found["kinds"]) == (FILES, len(KINDS))


def test_the_canary_would_have_told(tmp_path: Path) -> None:
    canary = Canary(tmp_path / "canary")
    canary.opened()
    assert canary.opened() == []
    canary.file.read_bytes()
    assert "canary.wav" in canary.opened()
    with socket.create_connection(("127.0.0.1", canary.port)):
        until(lambda: canary.calls == 1)
    canary.close()
