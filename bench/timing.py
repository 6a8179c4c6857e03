"""How long calls take, and the bound on most of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from bench.tables import Bound


def call_s(call: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    started = time.monotonic()
    call()
    return time.monotonic() - started


def p99_bound(name: str, seconds: Sequence[float], limit_s: float, detail: str) -> Bound:
    """The 99th percentile of calls against a limit."""
    median_s, p99_s = (float(value) for value in np.percentile(seconds, [50, 99]))
    return Bound(
        name=name,
        measured=f"{1000 * p99_s:.1f} ms",
        limit=f"<= {1000 * limit_s:.0f} ms",
        kept=p99_s <= limit_s,
        detail=f"median {1000 * median_s:.1f}, largest {1000 * max(seconds):.1f} ms; {detail}",
    )


def p95_bound(name: str, seconds: Sequence[float], limit_s: float, detail: str) -> Bound:
    """The 95th percentile of calls against a limit."""
    median_s, p95_s = (float(value) for value in np.percentile(seconds, [50, 95]))
    return Bound(
        name=name,
        measured=f"{1000 * p95_s:.0f} ms",
        limit=f"<= {1000 * limit_s:.0f} ms",
        kept=p95_s <= limit_s,
        detail=f"median {1000 * median_s:.0f}, largest {1000 * max(seconds):.0f} ms; {detail}",
    )
