"""Kills at named points (voice_transcriber/kill_points.py), one after the other in one data folder.

Each start meets what the kill before it left, and dies at its own turn; the last one lives, and
every job that was acknowledged on the way must end with its text.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.faults.checker import verdict
from tests.faults.server import Server
from tests.faults.sounds import Texts

# The kill comes when the point is passed for the N-th time, N up to this.
MOST_PASSES = {
    "after-body": 2,
    "after-fsync": 2,
    "after-rename": 2,
    "before-commit": 40,
    "after-commit": 40,
    "claimed": 2,
    "child-started": 4,
    "mid-window": 2,
    "windows-committed": 2,
    "result-written": 2,
    "state-done": 2,
    "housekeeping": 3,
}
EARLY = 10  # the commit of a submit is one of the first: every other kill comes there
DEATH_S = 60.0  # the point must be passed so soon
OFTEN = {"CLEANUP_INTERVAL": "1"}  # so that housekeeping has its turn


def run(
    folder: Path, point: str, *, kills: int, recordings: Sequence[Path], texts: Texts, seed: int
) -> dict[str, Any]:
    """`recordings`: enough that every submit sends a new one."""
    chance = random.Random(f"{seed} {point}")
    server = Server(folder, **OFTEN)
    unused = iter(recordings)
    missed = 0
    try:
        for _ in range(kills):
            most = MOST_PASSES[point]
            count = chance.randint(1, chance.choice((most, min(most, EARLY))))
            missed += not _dies(server, f"{point}:{count}", unused)
        server.start()
        found = verdict(server, texts)
    finally:
        server.close()
    return {
        "kills": kills - missed,
        "missed": missed,
        "acknowledged": len(server.accepted),
        "cut_off": server.log.unanswered,
        "violations": [str(one) for one in found],
    }


def _dies(server: Server, kill_at: str, unused: Iterator[Path]) -> bool:
    """Whether the point was reached; if not, the program is killed nevertheless."""
    server.launch(kill_at=kill_at)
    if server.wait_ready():
        deadline_s = time.monotonic() + DEATH_S
        while server.is_alive and time.monotonic() < deadline_s:
            with suppress(httpx.TransportError):  # it dies while it is asked
                if server.live() < 3 and (recording := next(unused, None)):
                    server.send(recording)
            time.sleep(0.05)
    died = server.died(patience_s=1)
    if not died:
        server.kill()
    return died
