"""People who use the server while something goes wrong: every request is timed and judged."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.faults.server import Server

ADDRESSES = (
    "/health",
    "/",
    "/api/v1/jobs",
    "/api/v1/jobs/changes?since=0",
    "/api/v1/system",
    "/api/v1/models",
)
PAUSE_S = 0.05
LIMIT_S = 30.0


@dataclass
class Visits:
    """What all of them met."""

    took_s: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # no answer, or one that is not 200


@contextmanager
def visitors(server: Server, *, count: int = 4) -> Iterator[Visits]:
    visits, over = Visits(), threading.Event()
    threads = [
        threading.Thread(target=_visit, args=(server, visits, over), daemon=True)
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        yield visits
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _visit(server: Server, visits: Visits, over: threading.Event) -> None:
    with httpx.Client(base_url=server.address, trust_env=False, timeout=LIMIT_S) as web:
        for address in itertools.cycle(ADDRESSES):
            if over.wait(PAUSE_S):
                return
            begun_s = time.monotonic()
            try:
                answer = web.get(address)
            except httpx.HTTPError as error:
                visits.failed.append(f"{address}: {error!r}")
                continue
            visits.took_s.append(time.monotonic() - begun_s)
            if answer.status_code != 200:
                visits.failed.append(f"{address}: {answer.status_code}")
