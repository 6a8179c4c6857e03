"""Whether this process's threads get the cores that they ask for."""

from __future__ import annotations

from pathlib import Path

_TASKS = Path("/proc/self/task")
_BUSY = 0.5  # of the time that threads ran they may have waited for a core
_LEAST_S = 0.5  # of running, before that says anything


def thread_times() -> tuple[float, float]:
    """Seconds that all threads ran, and that they waited for a core; zeros where it is not told."""
    ran_ns = waited_ns = 0
    for path in _TASKS.glob("*/schedstat"):
        try:
            ran, waited, _ = path.read_text(encoding="ascii").split()
        except (OSError, ValueError):  # the thread has ended
            continue
        ran_ns, waited_ns = ran_ns + int(ran), waited_ns + int(waited)
    return ran_ns / 1e9, waited_ns / 1e9


def is_contended(before: tuple[float, float], now: tuple[float, float]) -> bool:
    ran_s, waited_s = now[0] - before[0], now[1] - before[1]
    return ran_s >= _LEAST_S and waited_s > _BUSY * ran_s
