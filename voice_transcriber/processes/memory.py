"""Memory: what is left of it, and what the C allocator keeps after it was freed."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import psutil

_M_MMAP_THRESHOLD = -3
_CGROUP = Path("/sys/fs/cgroup")  # version 2, as a container sees its own


def free_unused_memory() -> None:
    """Give freed memory back to the system where the C library can (glibc)."""
    if not sys.platform.startswith("linux"):
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def return_large_blocks(least_bytes: int) -> None:
    """From now on freed blocks of this size or more go back to the system at once (glibc).

    By itself glibc raises its threshold with the blocks that are freed, and keeps them.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, ctypes.c_int(least_bytes))


def available_bytes(cgroup: Path = _CGROUP) -> int:
    """What programs can still take without swapping: of the machine, or of the container."""
    machine = psutil.virtual_memory().available
    limit = _figure(cgroup / "memory.max")
    used = _figure(cgroup / "memory.current")
    if limit is None or used is None:
        return machine
    return min(machine, max(0, limit - used + _reclaimable(cgroup / "memory.stat")))


def total_bytes(cgroup: Path = _CGROUP) -> int:
    """The memory of the machine, or of the container where that has a limit."""
    machine = int(psutil.virtual_memory().total)
    return min(machine, _figure(cgroup / "memory.max") or machine)


def _figure(path: Path) -> int | None:
    """None when there is no such figure, or no limit ("max")."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _reclaimable(path: Path) -> int:
    """Bytes of cached files, which give way to programs."""
    try:
        figures = dict(line.split() for line in path.read_text(encoding="ascii").splitlines())
    except OSError:
        return 0
    return int(figures.get("inactive_file", 0))
