"""SIGTERM and Ctrl-C, whenever they come: the server drains and ends well."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program import Program
from tests.running import until

END_S = 60.0

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """One that is starting: it has taken its data folder."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        program = Program(tmp_path, {"PORT": str(free.getsockname()[1])})
    with program.started("serve") as process:
        until((program.data_dir / "instance.lock").exists)
        yield process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_asked_to_stop_while_it_starts_ends_well(
    number: signal.Signals, server: subprocess.Popen[str]
) -> None:
    server.send_signal(number)
    assert server.wait(END_S) == 0


def test_being_asked_twice_changes_nothing(server: subprocess.Popen[str]) -> None:
    assert server.stdout is not None
    assert "is ready on" in server.stdout.readline()
    server.send_signal(signal.SIGTERM)
    server.send_signal(signal.SIGTERM)
    assert server.wait(END_S) == 0
