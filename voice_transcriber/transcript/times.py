"""Places in a recording, as people write them."""

from __future__ import annotations

MAX_S = 1_000_000.0  # more than eleven days
MAX_DIGITS = 9  # of hours or minutes; a number without end is no place in a recording


def seconds_of(text: str) -> float:
    """Seconds of 90, 90.5, 1:30 or 1:02:03.5. Raises ValueError, which says what is right."""
    parts = text.strip().split(":")
    try:
        if not 1 <= len(parts) <= 3:
            raise ValueError
        *whole, last = parts
        values = [*(_whole(part) for part in whole), float(last)]
        if any(not 0 <= value < 60 for value in values[1:]):
            raise ValueError
    except ValueError:
        raise _wrong(text) from None
    seconds = 0.0
    for value in values:
        seconds = 60 * seconds + value
    if not 0 <= seconds <= MAX_S:
        raise _wrong(text)
    return seconds


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > MAX_DIGITS:
        raise ValueError
    return int(text)


def _wrong(text: str) -> ValueError:
    return ValueError(f"{text.strip()[:40]!r} is no time; give seconds (90.5), 1:30 or 1:02:03")
