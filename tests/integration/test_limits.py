"""A process that has bounded itself cannot get past the bounds."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

BOUND = """
from voice_transcriber.processes.limits import give_way, limit_resources, renounce_privileges
give_way()
renounce_privileges()
limit_resources(data_bytes=200_000_000, file_bytes=1000, cpu_s=1, open_files=32)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX")


def run(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BOUND + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_memory_ends_in_memory_error() -> None:
    assert run("bytearray(100_000_000)").returncode == 0
    assert "MemoryError" in run("bytearray(300_000_000)").stderr


def test_a_file_does_not_grow_beyond_its_limit(tmp_path: Path) -> None:
    write = f"from pathlib import Path; Path('{tmp_path}/file').write_bytes(bytes(1001))"
    assert "File too large" in run(write).stderr


def test_processor_time_ends_in_the_signal_for_it() -> None:
    assert run("while True: pass").returncode == -signal.SIGXCPU


def test_there_are_only_so_many_open_files() -> None:
    assert "Too many open files" in run("[open('/dev/null') for _ in range(40)]").stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_process_goes_first_when_memory_ends_and_gains_no_rights() -> None:
    shown = run(
        "print(open('/proc/self/oom_score_adj').read(), open('/proc/self/status').read())"
    ).stdout
    assert shown.startswith("500")
    assert "NoNewPrivs:\t1" in shown
