"""The psutil performance monitor: what each job took of the machine."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil

from voice_transcriber.job import Job
from voice_transcriber.jobs.hooks import JobHooks, ProcessIds

SAMPLE_INTERVAL_S = 0.5

log = logging.getLogger("voice_transcriber.performance")


@dataclass
class _Watch:
    """One running job. CPU seconds are those of the processes while the job ran.

    The engine serves all running jobs, so jobs that run at the same time share figures.
    """

    process_ids: ProcessIds
    started: float = field(default_factory=time.monotonic)
    peak_bytes: dict[str, int] = field(default_factory=dict)
    first_cpu_s: dict[tuple[str, int], float] = field(default_factory=dict)
    last_cpu_s: dict[tuple[str, int], float] = field(default_factory=dict)

    def sample(self) -> None:
        for role, pid in {"app": os.getpid(), **self.process_ids()}.items():
            try:
                process = psutil.Process(pid)
                with process.oneshot():
                    memory_bytes = process.memory_info().rss
                    cpu_s = sum(process.cpu_times()[:2])
            except psutil.Error:  # it has ended
                continue
            self.peak_bytes[role] = max(self.peak_bytes.get(role, 0), memory_bytes)
            self.first_cpu_s.setdefault((role, pid), cpu_s)
            self.last_cpu_s[(role, pid)] = cpu_s

    def cpu_s(self) -> dict[str, float]:
        total: dict[str, float] = {}
        for key, last_s in list(self.last_cpu_s.items()):  # the sampler adds to it meanwhile
            # A child's whole life belongs to the job when it began with it, which the first
            # sample (taken within half a second) shows closely enough.
            total[key[0]] = total.get(key[0], 0.0) + last_s - self.first_cpu_s[key]
        return total


class PerformanceMonitor(JobHooks):
    """Samples the processes of running jobs twice a second."""

    def __init__(self, *, log_figures: bool) -> None:
        self._log_figures = log_figures
        self._watches: dict[str, _Watch] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="performance", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def started(self, job: Job, process_ids: ProcessIds) -> None:
        watch = _Watch(process_ids)
        watch.sample()
        with self._lock:
            self._watches[job.id] = watch

    def figures(self, job: Job) -> Mapping[str, Any]:
        with self._lock:
            watch = self._watches.get(job.id)
        if watch is None:
            return {}
        watch.sample()
        wall_s = time.monotonic() - watch.started
        cpu_s = watch.cpu_s()
        return {
            "wall_s": round(wall_s, 3),
            "cpu_percent": round(100 * sum(cpu_s.values()) / wall_s, 1) if wall_s else 0.0,
            "cpu_s": {role: round(seconds, 2) for role, seconds in cpu_s.items()},
            "peak_memory_bytes": dict(watch.peak_bytes),
        }

    def ended(self, job: Job, performance: Mapping[str, Any]) -> None:
        with self._lock:
            self._watches.pop(job.id, None)
        if self._log_figures and performance:
            log.info("job=%s model=%s %s", job.id, job.options.model, _as_text(performance))

    def _sample(self) -> None:
        while not self._stopping.wait(SAMPLE_INTERVAL_S):
            with self._lock:
                watches = list(self._watches.values())
            for watch in watches:
                watch.sample()


def _as_text(figures: Mapping[str, Any], prefix: str = "") -> str:
    """Figures as `name=value` pairs on one line; nested names are joined by a dot."""
    parts = [
        _as_text(value, f"{prefix}{name}.")
        if isinstance(value, Mapping)
        else f"{prefix}{name}={value}"
        for name, value in figures.items()
    ]
    return " ".join(part for part in parts if part)
