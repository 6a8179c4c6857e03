"""Times as formats write them."""

from __future__ import annotations


def parts(time_ms: int) -> tuple[int, int, int, int]:
    """Hours, minutes, seconds, milliseconds."""
    seconds, ms = divmod(time_ms, 1000)
    minutes, s = divmod(seconds, 60)
    hours, m = divmod(minutes, 60)
    return hours, m, s, ms


def full(time_ms: int, *, mark: str) -> str:
    """`HH:MM:SS.mmm`; `mark` stands before the milliseconds."""
    hours, m, s, ms = parts(time_ms)
    return f"{hours:02d}:{m:02d}:{s:02d}{mark}{ms:03d}"


def to_the_second(time_ms: int) -> str:
    """`HH:MM:SS`."""
    hours, m, s, _ = parts(time_ms)
    return f"{hours:02d}:{m:02d}:{s:02d}"
