"""When jobs go on: windows become durable again after something was killed."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing

from tests.faults.server import Server
from tests.running import until

STEP_S = 0.03
LAST_TRY = 2  # a window is given up when it has ended the engine once more often


def standing(server: Server) -> Mapping[str, float]:
    """How far each live job is, in percent."""
    return {job["id"]: job["percent"] for job in server.live_jobs()}


def goes_on_s(server: Server, before: Mapping[str, float], *, patience_s: float = 60.0) -> float:
    """Seconds until one of these jobs has got further or has ended."""
    begun_s = time.monotonic()
    while time.monotonic() - begun_s < patience_s:
        now = standing(server)
        if any(now.get(job_id, 101.0) > percent for job_id, percent in before.items()):
            return time.monotonic() - begun_s
        time.sleep(STEP_S)
    raise AssertionError(f"no job went on within {patience_s:.0f} s")


def spare_windows(server: Server) -> None:
    """Wait until no window is at its last try: chance must not make an innocent one look guilty."""
    until(lambda: not _last_tries(server))


def _last_tries(server: Server) -> int:
    """Windows that wait or are in work, and have ended the engine twice while they were alone."""
    with closing(sqlite3.connect(f"{(server.data / 'jobs.db').as_uri()}?mode=ro", uri=True)) as db:
        (count,) = db.execute(
            "SELECT COUNT(*) FROM windows WHERE status = 'pending' AND crashes >= ?", [LAST_TRY]
        ).fetchone()
        return int(count)
