"""APScheduler runs the housekeeping: one instance of each round at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

from voice_transcriber.jobs.finished_files import FinishedFiles
from voice_transcriber.jobs.housekeeping import Housekeeping
from voice_transcriber.jobs.supervisor import INTERVAL_S


def make_scheduler(
    housekeeping: Housekeeping,
    finished_files: FinishedFiles | None,
    *,
    supervise: Callable[[], None],
    interval_s: float,
) -> BackgroundScheduler:
    """A scheduler that is not started yet; stop it with shutdown(wait=False). `supervise` is called
    every few seconds, housekeeping every `interval_s`.
    """
    # Its own log line for each run of a job says nothing new every few seconds.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    scheduler = BackgroundScheduler(
        daemon=True,
        timezone="UTC",
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    scheduler.add_job(housekeeping.tidy, "interval", seconds=interval_s, id="tidy")
    scheduler.add_job(supervise, "interval", seconds=INTERVAL_S, id="supervise")
    if finished_files:
        scheduler.add_job(
            finished_files.catch_up,
            "interval",
            seconds=interval_s,
            next_run_time=datetime.now(UTC),  # what a crash left is written at the start
            id="finished-files",
        )
    return scheduler
