"""What can be seen of a child from outside: whether it is stopped, and what memory it holds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

MAX_STEP_S = 20.0  # those who ask a clock ask it more often
_KERNEL_FIGURES = Path("/proc/vmstat")


class AwakeClock:
    """Seconds in which this program ran, from 0; any thread may ask.

    When the machine or the container is suspended, everything stands still, and nothing in it is
    late: of the time between two questions at most MAX_STEP_S counts.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._asked_at = clock()
        self._elapsed_s = 0.0

    def __call__(self) -> float:
        with self._lock:
            now = self._clock()
            self._elapsed_s += min(now - self._asked_at, MAX_STEP_S)
            self._asked_at = now
            return self._elapsed_s


def is_stopped(pid: int) -> bool:
    """Whether somebody sent the process SIGSTOP."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


def own_memory_bytes(pid: int) -> int:
    """What the system gets back when the process ends: mapped files are not part of it."""
    try:
        memory = psutil.Process(pid).memory_info()
    except psutil.Error:
        return 0
    return int(memory.rss - getattr(memory, "shared", 0))


def out_of_memory_kills(figures: Path = _KERNEL_FIGURES) -> int:
    """How many processes Linux has ended since its start because memory ran out; elsewhere 0."""
    try:
        lines = figures.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    counts = (line.split() for line in lines)
    return next((int(count) for name, count in counts if name == "oom_kill"), 0)
