"""The results of the last while, in memory: the least recently used one goes first."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

from voice_transcriber.store.results import ResultTotals, StoredResult


@dataclass
class _Entry:
    result: StoredResult
    jobs: set[str]
    expires: float


class MemoryTier:
    """Thread-safe. An entry goes with the last job that it belongs to."""

    def __init__(
        self, *, entries: int, ttl_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._size = entries
        self._ttl_s = ttl_s
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._deletions = 0

    @property
    def deletions(self) -> int:
        """Grows with each deletion: what was read before one must not come in after it."""
        return self._deletions

    def find(self, key: str) -> StoredResult | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if self._clock() >= entry.expires:
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
            return entry.result

    def put(self, result: StoredResult, jobs: Collection[str], *, deletions: int) -> bool:
        """False when something was deleted since `deletions` was read: it may have been this."""
        with self._lock:
            if deletions != self._deletions:
                return False
            known = self._entries.pop(result.key, None)
            owners = set(jobs) | (known.jobs if known else set())
            self._entries[result.key] = _Entry(result, owners, self._clock() + self._ttl_s)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)
            return True

    def belongs_to(self, key: str, job_id: str) -> None:
        """Note another job; harmless when there is no such entry."""
        with self._lock:
            if entry := self._entries.get(key):
                entry.jobs.add(job_id)

    def forget_job(self, job_id: str) -> None:
        with self._lock:
            self._deletions += 1
            for key, entry in list(self._entries.items()):
                entry.jobs.discard(job_id)
                if not entry.jobs:
                    del self._entries[key]

    def drop(self, keys: Collection[str]) -> Collection[str]:
        """The keys of those that were there."""
        with self._lock:
            self._deletions += 1
            return [key for key in keys if self._entries.pop(key, None)]

    def drop_of(self, job_ids: Collection[str]) -> Collection[str]:
        """Drop what belongs to one of the jobs, whoever else uses it; the keys of these."""
        ids = set(job_ids)
        with self._lock:
            self._deletions += 1
            found = [key for key, entry in self._entries.items() if entry.jobs & ids]
            for key in found:
                del self._entries[key]
            return found

    def clear(self) -> int:
        """How many there were."""
        with self._lock:
            self._deletions += 1
            count = len(self._entries)
            self._entries.clear()
            return count

    def drop_expired(self) -> None:
        with self._lock:
            now = self._clock()
            for key, entry in list(self._entries.items()):
                if now >= entry.expires:
                    del self._entries[key]

    def totals(self) -> ResultTotals:
        with self._lock:
            sizes = [len(entry.result.content) for entry in self._entries.values()]
        return ResultTotals(entries=len(sizes), size_bytes=sum(sizes))
