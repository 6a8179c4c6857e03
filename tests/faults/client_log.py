"""What a client saw: which jobs were acknowledged, what was answered, how far jobs were."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A job that the server answered 202 for."""

    id: str
    recording: str  # name of the file that was sent
    sha256: str  # of what was sent
    at_s: float  # Unix seconds of the answer


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An answer 5xx."""

    method: str
    path: str
    status: int
    retry_after: bool


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A job as the server showed it at one moment."""

    status: str
    attempt: int


@dataclass
class ClientLog:
    """Written by any thread of the client."""

    accepted: dict[str, Accepted] = field(default_factory=dict)
    unanswered: int = 0  # submits that got no answer: the job may be there or not
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    sightings: dict[str, list[Sighting]] = field(default_factory=dict)
    orphans: list[str] = field(default_factory=list)  # children that outlived their parent
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, job_id: str, *, recording: str, sha256: str) -> None:
        with self._lock:
            self.accepted[job_id] = Accepted(
                id=job_id, recording=recording, sha256=sha256, at_s=time.time()
            )

    def cut_off(self) -> None:
        with self._lock:
            self.unanswered += 1

    def answered(self, method: str, path: str, status: int, *, retry_after: bool) -> None:
        with self._lock:
            self.statuses[status] += 1
            if status >= 500:
                fault = Fault(method=method, path=path, status=status, retry_after=retry_after)
                self.faults.append(fault)

    def saw(self, job: Mapping[str, Any]) -> None:
        """`job` as the API shows it; what has not changed since is not noted again."""
        seen = Sighting(status=job["status"], attempt=job["attempt"])
        with self._lock:
            story = self.sightings.setdefault(job["id"], [])
            if not story or story[-1] != seen:
                story.append(seen)
