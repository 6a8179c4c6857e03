"""Limits that a child process puts on itself before it touches what a stranger sent.

POSIX has resource limits, Linux has more; elsewhere these functions do what
the system offers, and the parent's clock is the only limit.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_PR_SET_NO_NEW_PRIVS = 38


def limit_resources(*, data_bytes: int, file_bytes: int, cpu_s: int, open_files: int) -> None:
    """Bound this process: private memory, size of each file written, processor time, descriptors.

    Beyond `data_bytes` allocations fail (MemoryError), beyond `file_bytes` writes do
    (OSError), at `cpu_s` comes SIGXCPU. It starts no process and no thread, unless it is root's.
    There is no core dump: it would hold a user's audio.
    """
    if sys.platform == "win32":
        return
    import resource

    wanted = {
        resource.RLIMIT_DATA: (data_bytes, data_bytes),
        resource.RLIMIT_FSIZE: (file_bytes, file_bytes),
        resource.RLIMIT_CPU: (cpu_s, cpu_s + 5),  # the second one is SIGKILL, and says less
        resource.RLIMIT_NOFILE: (open_files, open_files),
        resource.RLIMIT_NPROC: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
    }
    for name, limits in wanted.items():
        _, ceiling = resource.getrlimit(name)
        unbounded = ceiling == resource.RLIM_INFINITY
        soft, hard = limits if unbounded else (min(limit, ceiling) for limit in limits)
        resource.setrlimit(name, (soft, hard))


def give_way(*, niceness: int = 5) -> None:
    """Run behind the server, and be the first to go when the machine's memory ends."""
    if sys.platform == "win32":
        return
    os.nice(niceness)
    if not sys.platform.startswith("linux"):
        return
    try:
        Path("/proc/self/oom_score_adj").write_text("500")
    except OSError:  # a sandbox without /proc; it is a courtesy, not a limit
        return


def renounce_privileges() -> None:
    """No program that this process starts can gain rights that it has not (Linux)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
