"""The result cache: in memory, then in the store. It may lose text, but never gives a wrong one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from voice_transcriber.errors import ShuttingDown, TranscriberError
from voice_transcriber.results.contents import (
    Corrupt,
    KnownChunk,
    KnownTranscript,
    chunk_of,
    packed_chunk,
    transcript_of,
)
from voice_transcriber.results.memory import MemoryTier
from voice_transcriber.store.results import ResultStore, ResultTotals, StoredResult

log = logging.getLogger(__name__)

T = TypeVar("T")

WARM_BYTES = 32 * 1024 * 1024  # read at a start, however much is kept

_NOTHING = ResultTotals(entries=0, size_bytes=0)


@dataclass(frozen=True, kw_only=True)
class CacheOptions:
    """What the settings say."""

    enabled: bool
    entries: int  # in memory
    ttl_s: float  # in memory
    on_disk: bool
    disk_bytes: int
    disk_ttl_s: float


@dataclass(frozen=True, kw_only=True)
class CacheStats:
    """Since the start of the program, and now."""

    hits: int  # jobs whose text was known
    misses: int  # jobs that were computed
    chunk_hits: int  # chunks that were known, of jobs that were not
    memory: ResultTotals
    disk: ResultTotals

    @property
    def hit_rate(self) -> float | None:
        """0..1; None before the first job."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


class ResultCache:
    """Called from any thread. A fault of the store is a miss, and is logged."""

    def __init__(
        self, store: ResultStore, options: CacheOptions, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._options = options
        self._clock = clock
        self._memory = MemoryTier(entries=options.entries, ttl_s=options.ttl_s)
        self.hits = 0
        self.misses = 0
        self.chunk_hits = 0

    @property
    def is_on(self) -> bool:
        return self._options.enabled

    @property
    def is_on_disk(self) -> bool:
        return self._options.enabled and self._options.on_disk

    @property
    def deletions(self) -> int:
        """Read it before a result is computed or read, and give it to remember()."""
        return self._memory.deletions

    def transcript(self, key: str) -> KnownTranscript | None:
        return self._found(key, transcript_of)

    def chunk(self, key: str) -> KnownChunk | None:
        return self._found(key, chunk_of)

    def keep_chunk(self, job_id: str, key: str, chunk: KnownChunk) -> None:
        """For a job that runs; its transcript is stored with its end."""
        if not self.is_on:
            return
        deletions, result = self.deletions, packed_chunk(key, chunk)
        try:
            if self.is_on_disk and not self._store.keep_result(job_id, result):
                return
        except TranscriberError as error:
            log.warning("A finished chunk could not be kept for later jobs: %s", error.message)
            return
        self.remember(result, job_id, deletions=deletions)

    def remember(self, result: StoredResult, job_id: str, *, deletions: int) -> None:
        """Keep in memory what was computed, or read, when `deletions` was the count of them."""
        if self.is_on:
            self._memory.put(result, [job_id], deletions=deletions)

    def belongs_to(self, key: str, job_id: str) -> None:
        """A job's text comes from this entry; the store has noted it with the job's end."""
        self._memory.belongs_to(key, job_id)

    def forget_job(self, job_id: str) -> None:
        """A job was deleted, with what the store kept for it alone."""
        self._memory.forget_job(job_id)

    def forget_recording(self, blob_sha256: str) -> int:
        """Forget what is known of a recording, whoever else uses it; how many entries that were.

        Raises DiskFull.
        """
        stored = self._store.forget_results_of(blob_sha256)
        in_memory = self._memory.drop_of(self._store.jobs_with(blob_sha256))
        return len({*stored, *in_memory, *self._memory.drop(stored)})

    def clear(self) -> int:
        """Forget all; how many entries that were. Jobs keep their texts. Raises DiskFull."""
        stored = self._store.clear_results()
        return max(self._memory.clear(), stored)

    def leave_memory(self) -> None:
        """What is on the disk stays there."""
        self._memory.clear()

    def warm(self) -> None:
        """Take the most used entries into memory."""
        if not self.is_on_disk:
            return
        deletions = self.deletions
        try:
            found = self._store.most_used_results(
                limit=self._options.entries,
                max_bytes=WARM_BYTES,
                made_after=self._made_after(),
            )
        except ShuttingDown:
            return
        for result in reversed(found):
            self._memory.put(result, result.jobs, deletions=deletions)

    def tidy(self) -> None:
        """Delete what is too old, and what is too much. Raises DiskFull."""
        self._memory.drop_expired()
        if not self.is_on_disk:
            if self._store.result_totals().entries:
                self._store.clear_results()
            return
        trimmed = self._store.trim_results(
            max_bytes=self._options.disk_bytes, made_after=self._made_after()
        )
        if trimmed:
            log.info("%d results were deleted from the cache.", trimmed)

    def stats(self) -> CacheStats:
        return CacheStats(
            hits=self.hits,
            misses=self.misses,
            chunk_hits=self.chunk_hits,
            memory=self._memory.totals(),
            disk=self._store.result_totals() if self.is_on_disk else _NOTHING,
        )

    def _found(self, key: str, read: Callable[[StoredResult], T]) -> T | None:
        if not self.is_on:
            return None
        try:
            result = self._memory.find(key) or self._from_disk(key)
            return None if result is None else read(result)
        except Corrupt as fault:
            log.error("A result in the cache is damaged and is computed anew: %s.", fault)
            self._drop(key)
        except TranscriberError as error:
            log.warning("The cache could not be read: %s", error.message)
        return None

    def _from_disk(self, key: str) -> StoredResult | None:
        if not self.is_on_disk:
            return None
        deletions = self.deletions
        result = self._store.find_result(key, made_after=self._made_after())
        if result is not None:
            self._memory.put(result, result.jobs, deletions=deletions)
        return result

    def _drop(self, key: str) -> None:
        self._memory.drop([key])
        try:
            self._store.drop_result(key)
        except TranscriberError as error:
            log.warning("The damaged result could not be deleted: %s", error.message)

    def _made_after(self) -> float:
        return self._clock() - self._options.disk_ttl_s
