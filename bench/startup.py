"""From the start of the process to the first good answer of /health."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.app import running_app
from bench.machine import OtherLoad
from bench.tables import Bound

LIMIT_S = 1.0
STARTS = 7


def startup_bound(folder: Path) -> Bound:
    """Median of several starts, each beside a bare start of Python."""
    with running_app(folder):  # makes the data folder; files are in the system's cache after it
        pass
    ready_s: list[float] = []
    ready_cpu_s: list[float] = []
    bare_s: list[float] = []
    with OtherLoad() as other:
        for _ in range(STARTS):
            bare_s.append(_bare_start_s())
            with running_app(folder) as app:
                ready_s.append(app.ready_s)
                ready_cpu_s.append(app.ready_cpu_s)
    median_s = statistics.median(ready_s)
    return Bound(
        name="server ready",
        measured=f"{median_s:.2f} s",
        limit=f"<= {LIMIT_S:.1f} s",
        kept=median_s <= LIMIT_S,
        detail=f"median of {STARTS}, range {_range(ready_s)}; "
        f"computing {statistics.median(ready_cpu_s):.2f} s; "
        f"bare Python {statistics.median(bare_s):.2f} ({_range(bare_s)}); {other}",
    )


def _bare_start_s() -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.monotonic() - started


def _range(values_s: Sequence[float]) -> str:
    return f"{min(values_s):.2f} to {max(values_s):.2f} s"
