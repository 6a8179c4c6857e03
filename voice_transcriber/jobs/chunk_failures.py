"""What becomes of a chunk when the engine fails at it: it waits and is tried again, or given up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from voice_transcriber.errors import EngineError, EngineOutOfMemory, InternalError, TranscriberError
from voice_transcriber.job import SAMPLE_RATE, Chunk, Claim, Window
from voice_transcriber.jobs.backoff import delay_s, may_retry
from voice_transcriber.jobs.ledger import Ledger
from voice_transcriber.store.base import Store

log = logging.getLogger(__name__)


class ChunkFailures:
    """Of one attempt at one job; used by the thread that runs it."""

    def __init__(
        self,
        store: Store,
        claim: Claim,
        ledger: Ledger,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._claim = claim
        self._ledger = ledger
        self._clock = clock
        self._paused_until: dict[int, float] = {}
        self._failing: set[int] = set()  # chunks at which the engine failed since it last succeeded
        self._last_error: EngineError | None = None
        self._has_succeeded = False

    def is_paused(self, index: int) -> bool:
        """Whether the chunk waits for its next try."""
        return self._clock() < self._paused_until.get(index, 0.0)

    def at_success(self) -> None:
        """A window was decoded: the engine works."""
        self._has_succeeded = True
        self._failing.clear()

    def check_engine(self, indexes: Sequence[int]) -> None:
        """Raises the last EngineError when the engine is at fault, and not a chunk: then the job
        waits in the queue, and its worker is free. Nothing is in work; it is the turn of these
        chunks.
        """
        if not indexes or not all(map(self.is_paused, indexes)):
            return
        enough = 2 if self._has_succeeded else 1
        if self._last_error is not None and len(self._failing) >= enough:
            raise self._last_error

    def at_window(self, window: Window, error: TranscriberError, *, begun: int) -> None:
        """A window was answered with an error. `begun`: its chunk's failures when it was asked
        for, because windows that failed together are one failure of their chunk.
        """
        if isinstance(error, InternalError):
            self._ledger.suspect(window)  # it, or one of those that were in work with it
        chunk = self._ledger.chunks[window.chunk_index]
        if chunk.error is None and chunk.failures == begun:
            chunk = self._failed_again(chunk, error)
            self._store.set_failures(self._claim, chunk)
            self._ledger.set_chunk(chunk)
        if chunk.error is None:
            self._ledger.again(window)
        else:
            self._give_up(chunk, [window, *self._ledger.waiting(chunk.index)])

    def at_plan(self, chunk: Chunk, error: TranscriberError) -> None:
        """The plan of a chunk was answered with an error; `chunk` has none yet."""
        failed = self._failed_again(chunk, error)
        self._store.add_chunk(self._claim, failed, [])
        self._ledger.add_chunk(failed, [])

    def _failed_again(self, chunk: Chunk, error: TranscriberError) -> Chunk:
        self._note(chunk, error)
        failures = chunk.failures + 1
        place = f"Job {self._claim.job_id}, chunk at {chunk.start_sample / SAMPLE_RATE:.0f} s"
        if not may_retry(failures):
            log.error("%s is given up: %s", place, error.message)
            return replace(chunk, failures=failures, error=error.message)
        pause_s = delay_s(failures)
        self._paused_until[chunk.index] = self._clock() + pause_s
        log.warning("%s is tried again in %.0f s: %s", place, pause_s, error.message)
        return replace(chunk, failures=failures)

    def _note(self, chunk: Chunk, error: TranscriberError) -> None:
        needs_memory = isinstance(error, EngineOutOfMemory) and not chunk.is_planned
        if isinstance(error, EngineError) and not needs_memory:  # a shorter plan may need less
            self._failing.add(chunk.index)
            self._last_error = error

    def _give_up(self, chunk: Chunk, windows: Sequence[Window]) -> None:
        self._store.set_failures(self._claim, chunk, failed=windows)
        self._ledger.give_up(chunk, windows)
