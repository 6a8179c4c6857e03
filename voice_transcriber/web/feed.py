"""What all pollers share: the queue and the pace, read once for each revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from voice_transcriber.job import JobStatus

if TYPE_CHECKING:
    from voice_transcriber.services import Services

POLL_BEHIND_MS = 100  # more changes wait than one answer holds
POLL_ACTIVE_MS = 1_000  # a job runs
POLL_QUEUED_MS = 5_000  # jobs wait, none runs
POLL_IDLE_MS = 30_000

MAX_QUEUE_SHOWN = 200  # positions beyond it are not told
MAX_CHANGES = 200  # jobs in one answer


@dataclass(frozen=True)
class Pulse:
    """The state of the queue at one revision."""

    revision: int
    queue: Sequence[str]  # ids of the first queued jobs, in the order of their claims
    next_poll_ms: int
    counts: Mapping[JobStatus, int]  # number of jobs by status

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Place of each queued job, counted from 1."""
        return {job_id: place for place, job_id in enumerate(self.queue, start=1)}


class Feed:
    """Answers "is there anything new?" without the database while there is not."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._pulse: Pulse | None = None

    @property
    def revision(self) -> int:
        return self._store.revision

    def pulse(self) -> Pulse:
        # Two threads may both read it anew; the later one wins and both are right. The revision
        # is taken first: a change during the read makes the next caller read again.
        revision = self._store.revision
        pulse = self._pulse
        if pulse is None or pulse.revision != revision:
            pulse = self._pulse = self._read(revision)
        return pulse

    def next_poll_ms(self, *, told: int) -> int:
        """Pause for a client that has been told everything up to the revision `told`."""
        pulse = self.pulse()
        return pulse.next_poll_ms if told >= pulse.revision else POLL_BEHIND_MS

    def _read(self, revision: int) -> Pulse:
        counts = self._store.counts()
        if counts[JobStatus.RUNNING]:
            pace_ms = POLL_ACTIVE_MS
        elif counts[JobStatus.QUEUED]:
            pace_ms = POLL_QUEUED_MS
        else:
            pace_ms = POLL_IDLE_MS
        queue = self._store.queue_order(limit=MAX_QUEUE_SHOWN) if counts[JobStatus.QUEUED] else ()
        return Pulse(revision, tuple(queue), pace_ms, counts)
