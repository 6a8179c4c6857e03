"""How long to wait before the next try. Pure."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime


def backoff_s(
    failures: int, *, first_s: float, longest_s: float, chance: Callable[[], float] = random.random
) -> float:
    """Exponential with full jitter: anything from nothing to the doubled pause before.

    `failures` counts from 1. So clients that failed together do not come back together.
    """
    ceiling_s: float = min(longest_s, first_s * 2 ** min(failures - 1, 32))
    return chance() * ceiling_s


def retry_after_s(header: str | None, *, now: Callable[[], float] = time.time) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date; None when it is none."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now())
    except ValueError:
        return None
