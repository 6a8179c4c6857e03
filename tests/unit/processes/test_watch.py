"""What can be seen of a process from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import until
from voice_transcriber.processes.watch import (
    MAX_STEP_S,
    AwakeClock,
    is_stopped,
    out_of_memory_kills,
    own_memory_bytes,
)

TAKER = """
import sys
print("ready", flush=True)
sys.stdin.readline()
taken = bytes([1]) * 100_000_000
print(len(taken), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


def test_a_stopped_process_is_seen_until_it_goes_on(sleeper: subprocess.Popen[bytes]) -> None:
    assert not is_stopped(sleeper.pid)
    os.kill(sleeper.pid, signal.SIGSTOP)
    until(lambda: is_stopped(sleeper.pid))
    os.kill(sleeper.pid, signal.SIGCONT)
    until(lambda: not is_stopped(sleeper.pid))


def test_a_process_that_is_gone_is_not_stopped_and_holds_nothing(
    sleeper: subprocess.Popen[bytes],
) -> None:
    sleeper.kill()
    sleeper.wait()
    assert not is_stopped(sleeper.pid)
    assert own_memory_bytes(sleeper.pid) == 0


def test_memory_that_is_taken_is_seen() -> None:
    """In a process that does nothing else: what other tests left may go at any time in this one."""
    with subprocess.Popen(
        [sys.executable, "-c", TAKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as taker:
        assert taker.stdin
        assert taker.stdout
        assert taker.stdout.readline().split() == [b"ready"]
        before = own_memory_bytes(taker.pid)
        taker.stdin.write(b"go on\n")
        taker.stdin.flush()
        assert taker.stdout.readline().split() == [b"100000000"]
        assert own_memory_bytes(taker.pid) >= before + 90_000_000


def test_kills_for_memory_are_counted(tmp_path: Path) -> None:
    figures = tmp_path / "vmstat"
    figures.write_text("nr_free_pages 12\noom_kill 3\nthp_fault_alloc 7\n")
    assert out_of_memory_kills(figures) == 3
    figures.write_text("nr_free_pages 12\n")
    assert out_of_memory_kills(figures) == 0
    assert out_of_memory_kills(tmp_path / "none") == 0


def test_a_clock_stands_still_while_the_program_does() -> None:
    now_s = 100.0
    clock = AwakeClock(lambda: now_s)
    now_s += 5
    assert clock() == 5
    now_s += 8 * 3600  # the laptop was closed
    assert clock() == 5 + MAX_STEP_S
    now_s += 1
    assert clock() == 6 + MAX_STEP_S
