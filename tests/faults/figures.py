"""Measured values as the report shows them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def spread(values: Sequence[float]) -> dict[str, float]:
    """Count, median, the value that 95 and 99 % stay below, and the largest; empty for none."""
    if not values:
        return {}
    ordered = sorted(values)
    return {
        "count": len(ordered),
        "median": round(statistics.median(ordered), 3),
        "p95": round(_part(ordered, 0.95), 3),
        "p99": round(_part(ordered, 0.99), 3),
        "max": round(ordered[-1], 3),
    }


def _part(ordered: Sequence[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
