"""The figures of the system page: now, and over the last hour."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from voice_transcriber.errors import TranscriberError
from voice_transcriber.job import Job, JobStatus
from voice_transcriber.jobs.hooks import JobHooks
from voice_transcriber.monitor.gpu import GpuMeter
from voice_transcriber.monitor.history import HISTORY_S, MAX_JOBS, History, Span
from voice_transcriber.monitor.machine import MachineMeter
from voice_transcriber.monitor.sample import FinishedJob, Sample, Speed
from voice_transcriber.store.base import Store

log = logging.getLogger(__name__)


class SystemMonitor(JobHooks):
    """Somebody calls sample() every SAMPLE_INTERVAL_S; any thread may ask."""

    def __init__(
        self, *, store: Store, data_dir: Path, engine_pid: Callable[[], int | None]
    ) -> None:
        self._store = store
        self._data_dir = data_dir
        self._machine = MachineMeter(engine_pid)
        self._gpu = GpuMeter()
        self._history = History()
        self._sampling = threading.Lock()

    def start(self) -> None:
        """Take up what the store knows of the last hour's jobs."""
        page = self._store.page(limit=MAX_JOBS, statuses=[JobStatus.COMPLETED])
        found = [one for job in page.jobs if (one := _finished(job))]
        for one in sorted(found, key=lambda one: one.time):
            if one.time > time.time() - HISTORY_S:
                self._history.add_job(one)

    def sample(self) -> Sample:
        """Look at the machine, and remember it."""
        with self._sampling:
            disk = shutil.disk_usage(self._data_dir)
            counts = self._store.counts()
            sample = Sample(
                time=time.time(),
                machine=self._machine.read(),
                gpus=self._gpu.read(),
                disk_free_bytes=disk.free,
                disk_total_bytes=disk.total,
                queued=counts[JobStatus.QUEUED],
                running=counts[JobStatus.RUNNING],
            )
            self._history.add(sample)
            return sample

    def now(self) -> Sample:
        """The newest sample; the first one is taken when somebody asks before its time."""
        return self._history.newest or self.sample()

    def speed(self) -> Speed:
        return self._history.speed()

    def since(self, time: float) -> Span:
        """The history after a moment in Unix seconds; 0 is all of the last hour."""
        return self._history.since(time)

    def ended(self, job: Job, performance: Mapping[str, Any]) -> None:
        try:
            finished = _finished(self._store.get(job.id))
        except TranscriberError as error:  # it was deleted at once, or the disk is full
            log.debug("The speed of job %s is not known: %s", job.id, error)
            return
        if finished:
            self._history.add_job(finished)


def _finished(job: Job) -> FinishedJob | None:
    """None for a job that did not complete, or whose speed was not measured."""
    factor = job.performance.get("real_time_factor")
    if job.status is not JobStatus.COMPLETED or job.finished_at is None or factor is None:
        return None
    return FinishedJob(time=job.finished_at, model=job.options.model, real_time_factor=factor)
