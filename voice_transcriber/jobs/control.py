"""How a running job is told to stop: it asks, nobody breaks in."""

from __future__ import annotations

import threading
import time
from enum import Enum

from voice_transcriber.errors import JobTookTooLong
from voice_transcriber.processes.watch import AwakeClock


class StopReason(Enum):
    USER = "user"  # the job is to be cancelled
    SHUTDOWN = "shutdown"  # the app is stopping; the job goes on at the next start


class JobStopped(Exception):
    """Ends a run between two steps."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class JobControl:
    """Shared by the thread that runs a job and those that want to stop it."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._draining = threading.Event()
        self._drain_deadline = float("inf")  # monotonic
        self._clock = AwakeClock()  # asked twice a second, by `check`
        self._time_limit_s = float("inf")  # of that clock

    def limit_time(self, limit_s: float) -> None:
        """The job may take so long, counted from when it was taken up."""
        self._time_limit_s = limit_s

    def cancel(self) -> None:
        self._cancelled.set()

    def drain(self, *, grace_s: float) -> None:
        """Take up no new work; what is in work may finish within `grace_s`."""
        self._drain_deadline = time.monotonic() + grace_s
        self._draining.set()

    @property
    def is_draining(self) -> bool:
        return self._draining.is_set()

    @property
    def should_stop(self) -> bool:
        return self._cancelled.is_set() or self._draining.is_set()

    def check(self) -> None:
        """Raises JobStopped when the job was cancelled, or its time to drain is over, and
        JobTookTooLong.
        """
        if self._cancelled.is_set():
            raise JobStopped(StopReason.USER)
        if time.monotonic() >= self._drain_deadline:
            raise JobStopped(StopReason.SHUTDOWN)
        if self._clock() > self._time_limit_s:
            raise JobTookTooLong(
                f"The job took longer than the {self._time_limit_s / 3600:.1f} hours that "
                "JOB_TIME_LIMIT allows; what was finished is kept."
            )

    def stopped(self) -> JobStopped:
        """Why a step that asked `should_stop` ended early."""
        reason = StopReason.USER if self._cancelled.is_set() else StopReason.SHUTDOWN
        return JobStopped(reason)
