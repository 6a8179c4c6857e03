"""The last hour in memory: a ring of samples, and the jobs that completed in it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from voice_transcriber.monitor.sample import FinishedJob, Sample, Speed

SAMPLE_INTERVAL_S = 5
HISTORY_S = 3600
MAX_JOBS = 500  # more points than a chart can show


@dataclass(frozen=True, kw_only=True)
class Span:
    """A part of the history, oldest first."""

    samples: Sequence[Sample]
    jobs: Sequence[FinishedJob]
    until: float  # Unix seconds; pass as `since` the next time
    reset: bool  # True: what the asker knows is of another clock, this is all there is


class History:
    """Any thread may add and ask."""

    def __init__(self, *, capacity: int = HISTORY_S // SAMPLE_INTERVAL_S) -> None:
        self._samples: deque[Sample] = deque(maxlen=capacity)
        self._jobs: deque[FinishedJob] = deque(maxlen=MAX_JOBS)
        self._lock = threading.Lock()

    @property
    def newest(self) -> Sample | None:
        with self._lock:
            return self._samples[-1] if self._samples else None

    def add(self, sample: Sample) -> None:
        with self._lock:
            if self._samples and sample.time <= self._samples[-1].time:
                self._samples.clear()  # the clock was set back: times must rise
                self._jobs.clear()
            self._samples.append(sample)
            while self._jobs and self._jobs[0].time <= sample.time - HISTORY_S:
                self._jobs.popleft()

    def add_job(self, job: FinishedJob) -> None:
        with self._lock:
            self._jobs.append(job)

    def speed(self) -> Speed:
        with self._lock:
            factors = [job.real_time_factor for job in self._jobs]
        return Speed(jobs=len(factors), real_time_factor=median(factors) if factors else None)

    def since(self, time: float) -> Span:
        """What came after `time`, up to the newest sample; 0 is all."""
        with self._lock:
            until = self._samples[-1].time if self._samples else 0.0
            reset = time > until
            begin = 0.0 if reset else time
            return Span(
                samples=[sample for sample in self._samples if sample.time > begin],
                jobs=[job for job in self._jobs if begin < job.time <= until],
                until=until,
                reset=reset,
            )
