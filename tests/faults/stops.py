"""SIGTERM at random times, with jobs at work and uploads on their way."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults.checker import verdict
from tests.faults.client import Client
from tests.faults.figures import spread
from tests.faults.server import Server
from tests.faults.sounds import Texts


def run(
    folder: Path,
    *,
    stops: int,
    in_flight: int,
    life_s: float,
    recordings: Sequence[Path],
    texts: Texts,
    seed: int,
) -> dict[str, Any]:
    chance = random.Random(seed)
    server = Server(folder)
    stop_s: list[float] = []
    statuses: list[int] = []
    try:
        with Client(server, recordings, in_flight=in_flight).at_work():
            for _ in range(stops):
                server.start()
                time.sleep(chance.uniform(0, life_s))
                begun_s = time.monotonic()
                statuses.append(server.stop())
                stop_s.append(time.monotonic() - begun_s)
            server.start()
        found = verdict(server, texts)
    finally:
        server.close()
    return {
        "stops": stops,
        "stop_s": spread(stop_s),
        "wrong_statuses": [status for status in statuses if status],
        "acknowledged": len(server.accepted),
        "violations": [str(one) for one in found],
    }
