"""`check`, which proves an installation end to end, with the start of Python."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

from bench.app import PROJECT, clean_environment
from bench.machine import OtherLoad
from bench.tables import Bound
from bench.timing import call_s

LIMIT_S = 15.0
ROUNDS = 3


def check_bound(folder: Path) -> Bound:
    """Median of several; what the first one reads from the disk stays in memory for the others."""
    environment = clean_environment(folder)
    with OtherLoad() as other:
        seconds = [call_s(lambda: _check(environment)) for _ in range(ROUNDS)]
    median_s = statistics.median(seconds)
    each = ", ".join(f"{one:.1f}" for one in seconds)
    return Bound(
        name="check, with the start of Python",
        measured=f"{median_s:.1f} s",
        limit=f"< {LIMIT_S:.0f} s",
        kept=median_s < LIMIT_S,
        detail=f"median of {each}; {other}",
    )


def _check(environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "app_main.py", "check"],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
