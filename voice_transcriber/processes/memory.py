"""Memory that the C allocator keeps after it was freed."""

from __future__ import annotations

import ctypes
import sys


def free_unused_memory() -> None:
    """Give freed memory back to the system where the C library can (glibc)."""
    if not sys.platform.startswith("linux"):
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
