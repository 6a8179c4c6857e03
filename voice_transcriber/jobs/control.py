"""How a running job is told to stop: it asks, nobody breaks in."""

from __future__ import annotations

import threading
import time
from enum import Enum


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
        """Raises JobStopped when the job was cancelled, or its time to drain is over."""
        if self._cancelled.is_set():
            raise JobStopped(StopReason.USER)
        if time.monotonic() >= self._drain_deadline:
            raise JobStopped(StopReason.SHUTDOWN)

    def stopped(self) -> JobStopped:
        """Why a step that asked `should_stop` ended early."""
        reason = StopReason.USER if self._cancelled.is_set() else StopReason.SHUTDOWN
        return JobStopped(reason)
