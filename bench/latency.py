"""Submitting and listing while three jobs run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.app import App, running_app
from bench.machine import OtherLoad
from bench.tables import Bound
from bench.timing import call_s, p95_bound

SUBMIT_LIMIT_S = 0.1
LIST_LIMIT_S = 0.2
REQUESTS = 60
LONG_JOBS = 3


def latency_bounds(folder: Path, *, long_file: Path, clip: Path) -> list[Bound]:
    """The clips are taken and transcribed too, as they would be."""
    with running_app(folder) as app:
        running = [app.submit(long_file, language="en") for _ in range(LONG_JOBS)]
        for job_id in running:
            app.wait(job_id, "running")
        _wait_for_first_text(app, running)
        with OtherLoad() as other:
            submit_s, list_s = _alternate(
                lambda: app.submit(clip, language="en"),
                lambda: app.web.get("/api/v1/jobs").raise_for_status(),
            )
        still = sum(app.job(job_id)["status"] == "running" for job_id in running)
        app.cancel_all()
    detail = f"{REQUESTS} requests, {still} of {LONG_JOBS} long jobs run to the end; {other}"
    return [
        p95_bound(f"submit p95, {LONG_JOBS} jobs running", submit_s, SUBMIT_LIMIT_S, detail),
        p95_bound(f"list p95, {LONG_JOBS} jobs running", list_s, LIST_LIMIT_S, detail),
    ]


def _wait_for_first_text(app: App, job_ids: Sequence[str]) -> None:
    """The engine has loaded its model and works."""
    while not any(app.job(job_id)["percent"] > 0 for job_id in job_ids):
        time.sleep(0.1)


def _alternate(
    first: Callable[[], object], second: Callable[[], object]
) -> tuple[list[float], list[float]]:
    times_s: tuple[list[float], list[float]] = ([], [])
    for _ in range(REQUESTS):
        for call, seconds in zip((first, second), times_s, strict=True):
            seconds.append(call_s(call))
    return times_s
