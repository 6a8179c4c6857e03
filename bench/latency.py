"""Submitting and listing while three jobs run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from bench.app import App, running_app
from bench.machine import OtherLoad
from bench.tables import Bound

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
        _bound("submit p95", submit_s, SUBMIT_LIMIT_S, detail),
        _bound("list p95", list_s, LIST_LIMIT_S, detail),
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
            started = time.monotonic()
            call()
            seconds.append(time.monotonic() - started)
    return times_s


def _bound(name: str, seconds: Sequence[float], limit_s: float, detail: str) -> Bound:
    median_s, p95_s = (float(value) for value in np.percentile(seconds, [50, 95]))
    return Bound(
        name=f"{name}, {LONG_JOBS} jobs running",
        measured=f"{1000 * p95_s:.0f} ms",
        limit=f"<= {1000 * limit_s:.0f} ms",
        kept=p95_s <= limit_s,
        detail=f"median {1000 * median_s:.0f}, largest {1000 * max(seconds):.0f} ms; {detail}",
    )
