"""A list of ten thousand jobs: every way to look at it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.app import App, running_app
from bench.long_transcript import long_transcript
from bench.machine import OtherLoad
from bench.seeding import seed_list
from bench.tables import Bound
from bench.timing import call_s, p95_bound

LIMIT_S = 0.2
JOBS = 10_000
WAITING = 1_000  # as many as MAX_QUEUE_SIZE lets wait
REQUESTS = 40


def list_bounds(folder: Path, *, audio: Path) -> list[Bound]:
    transcript = long_transcript(audio, hours=0.1, with_words=False)
    seed_list(folder / "data", transcript, jobs=JOBS, waiting=WAITING)
    with running_app(folder) as app:
        addresses = _addresses(app)
        times_s: dict[str, list[float]] = {name: [] for name in addresses}
        with OtherLoad() as other:
            for _ in range(REQUESTS):
                for name, address in addresses.items():
                    times_s[name].append(call_s(lambda at=address: _get(app, at)))
    detail = f"{REQUESTS} requests; {other}"
    return [
        p95_bound(f"{JOBS} jobs: {name}", seconds, LIMIT_S, detail)
        for name, seconds in times_s.items()
    ]


def _addresses(app: App) -> Mapping[str, str]:
    """What is measured, by what it is."""
    first = app.web.get("/api/v1/jobs").raise_for_status().json()
    assert first["total"] == JOBS
    middle = first["next_cursor"] // 2
    return {
        "first page": "/api/v1/jobs",
        "largest page": "/api/v1/jobs?limit=200",
        "a page far down": f"/api/v1/jobs?cursor={middle}",
        "by state": "/api/v1/jobs?status=failed,cancelled",
        "search": "/api/v1/jobs?q=hearing",
        "search without a find": "/api/v1/jobs?q=nothing%20is%20called%20so",
        "search, by state, far down": f"/api/v1/jobs?q=NOTE&status=failed&cursor={middle}",
        "the page itself": "/",
        "more rows of the page": f"/ui/jobs?cursor={middle}",
    }


def _get(app: App, address: str) -> None:
    app.web.get(address).raise_for_status()
