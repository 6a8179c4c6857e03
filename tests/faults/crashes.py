"""Crashes of the engine, spread over windows, while people use the server."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults.checker import verdict
from tests.faults.client import Client, wait_in_flight
from tests.faults.figures import spread
from tests.faults.kills import CHILDREN
from tests.faults.progress import goes_on_s, spare_windows, standing
from tests.faults.server import Server
from tests.faults.sounds import Texts
from tests.faults.visitors import visitors
from tests.running import until

SIGNALS = (signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL)


def run(
    folder: Path,
    *,
    crashes: int,
    in_flight: int,
    life_s: float,
    recordings: Sequence[Path],
    texts: Texts,
    seed: int,
) -> dict[str, Any]:
    """Crashes are spread: none is the third of a window."""
    chance = random.Random(seed)
    server = Server(folder)
    retried_s = []
    try:
        server.start()
        with Client(server, recordings, in_flight=in_flight).at_work(), visitors(server) as visits:
            wait_in_flight(server, in_flight)
            for number in range(crashes):
                until(lambda: server.children(CHILDREN["engine"]))
                time.sleep(chance.uniform(0, life_s))
                spare_windows(server)
                before = standing(server)
                _crash(server, SIGNALS[number % len(SIGNALS)])
                retried_s.append(goes_on_s(server, before))
        restarted = server.web.get("/health").json()["details"]["engine"]["starts"]
        found = verdict(server, texts)
    finally:
        server.close()
    return {
        "crashes": len(retried_s),
        "engine_starts": restarted,
        "requests": len(visits.took_s),
        "failed_requests": visits.failed,
        "request_s": spread(visits.took_s),
        "retried_s": spread(retried_s),
        "acknowledged": len(server.accepted),
        "violations": [str(one) for one in found],
    }


def _crash(server: Server, number: signal.Signals) -> None:
    (engine,) = server.children(CHILDREN["engine"])
    os.kill(engine.pid, number)
