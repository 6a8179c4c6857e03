"""The chunks of a job, found ahead of their turn: where each ends, its windows, their language.

One plan is made at a time, because a chunk begins where the one before it was cut.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from voice_transcriber.audio.decode import Decoding
from voice_transcriber.engines.protocol import PlanReply, PlanRequest
from voice_transcriber.errors import EngineOutOfMemory, TranscriberError
from voice_transcriber.job import SAMPLE_RATE, Chunk, Claim, Job, Window
from voice_transcriber.jobs.chunk_failures import ChunkFailures
from voice_transcriber.jobs.chunk_size import ChunkSize
from voice_transcriber.jobs.conversation import Conversation
from voice_transcriber.jobs.known_chunks import KnownChunks
from voice_transcriber.jobs.language_questions import LanguageQuestions
from voice_transcriber.jobs.ledger import Ledger
from voice_transcriber.results.contents import KnownChunk
from voice_transcriber.store.base import Store, WindowResult
from voice_transcriber.transcript.languages import SEVERAL_LANGUAGES

log = logging.getLogger(__name__)


class ChunkPlanner:
    """Of one attempt at one job; used by the thread that runs it."""

    def __init__(
        self,
        *,
        job: Job,
        claim: Claim,
        decoding: Decoding,
        store: Store,
        talk: Conversation,
        ledger: Ledger,
        failures: ChunkFailures,
        languages: LanguageQuestions,
        known: KnownChunks,
        size: ChunkSize,
        ahead: int,
        level_audio: bool,
        on_stages: Callable[[Mapping[str, float]], None],
        on_planned: Callable[[], None],
    ) -> None:
        """`ahead`: no further chunk is planned while more than so many are unfinished.
        `on_planned` is called when a chunk was committed.
        """
        self._job = job
        self._claim = claim
        self._decoding = decoding
        self._store = store
        self._talk = talk
        self._ledger = ledger
        self._failures = failures
        self._languages = languages
        self._known = known
        self._ahead = ahead
        self._level_audio = level_audio
        self._on_stages = on_stages
        self._on_planned = on_planned
        self._is_planning = False
        self._has_several_languages = job.options.language == SEVERAL_LANGUAGES
        self.language = None if self._has_several_languages else job.language
        self.language_probability = job.language_probability
        self._set_size(size)

    @property
    def is_done(self) -> bool:
        """Every chunk of the recording is planned or given up."""
        if self._is_planning or self._ledger.unplanned or not self._decoding.finished:
            return False
        return self._ledger.planned_to >= self._decoding.samples

    def shrink(self, reason: str) -> None:
        """Plan shorter chunks from now on."""
        self._set_size(self._size.halved(reason))

    def plan_ahead(self) -> None:
        """Ask for the next plan when chunks will soon be needed and the audio is there."""
        if self._is_planning or len(self._ledger.unfinished) > self._ahead:
            return
        request = self._next_plan()
        if request is None:
            return
        chunk = self._opened(request)
        if self._failures.is_paused(chunk.index):
            return
        self._is_planning = True
        if not (request.is_last and chunk.index == 0):  # else it is soon shown with its windows
            self._store.add_chunk(self._claim, chunk, [])
        self._talk.ask(
            request, partial(self._planned, chunk), on_error=partial(self._failed, chunk)
        )

    def _next_plan(self) -> PlanRequest | None:
        """None as long as the audio is not there."""
        unplanned = self._ledger.unplanned
        if unplanned and self._is_between(unplanned):
            ready = unplanned.end_sample <= self._decoding.samples
            return self._request(unplanned.start_sample, unplanned.end_sample) if ready else None
        start = self._ledger.planned_to
        limit = start + round(self._size.seconds * SAMPLE_RATE)
        # `finished` is read first: the number of samples is final only then.
        finished = self._decoding.finished
        available = self._decoding.samples
        if available <= start or (available < limit and not finished):
            return None
        is_last = finished and available <= limit
        return self._request(start, min(limit, available), is_last=is_last)

    def _is_between(self, chunk: Chunk) -> bool:
        """A chunk that was given up once: where the next one begins is known."""
        return chunk.start_sample < self._ledger.planned_to

    def _request(self, start: int, limit: int, *, is_last: bool = True) -> PlanRequest:
        return PlanRequest(
            pcm=str(self._decoding.pcm),
            start=start,
            limit=limit,
            is_last=is_last,
            vad_filter=self._job.options.vad_filter,
            level=self._level_audio,
            by_language=self._has_several_languages,
            priority=self._job.priority,
        )

    def _opened(self, request: PlanRequest) -> Chunk:
        known = self._ledger.unplanned
        return Chunk(
            index=known.index if known else len(self._ledger.chunks),
            start_sample=request.start,
            end_sample=request.limit,
            language=self.language,
            is_planned=False,
            failures=known.failures if known else 0,
        )

    def _planned(self, opened: Chunk, reply: PlanReply) -> None:
        self._on_stages(reply.stages_s)
        chunk = replace(opened, end_sample=reply.end, gain=reply.gain, is_planned=True)
        windows = [
            Window(
                chunk_index=chunk.index,
                start_sample=start,
                end_sample=end,
                speech_end_sample=speech_end,
            )
            for start, end, speech_end in reply.windows
        ]
        if self._is_between(opened) and reply.end < opened.end_sample:
            self._leave_rest(opened, reply.end)
        failed = partial(self._failed, replace(opened, end_sample=reply.end))
        before = self._language_before(chunk)
        if windows and (found := self._known.find(chunk, language_before=before)):
            self._commit_known(chunk, *found)
        elif windows and self._has_several_languages:
            commit = partial(self._commit, chunk)
            self._languages.ask_each(chunk, windows, before, commit, failed)
        elif windows and self.language is None:
            self._languages.ask(chunk, windows, partial(self._elected, chunk, windows), failed)
        else:
            self._commit(chunk, windows)

    def _language_before(self, chunk: Chunk) -> str | None:
        if not self._has_several_languages:
            return None
        return self._ledger.language_before(chunk.start_sample)

    def _commit_known(
        self, chunk: Chunk, known: KnownChunk, results: Sequence[WindowResult]
    ) -> None:
        """Nothing is left to be decoded."""
        if known.language is not None and self.language is None:
            self._note_language(known.language, known.language_probability)
        chunk = replace(chunk, language=known.language)
        self._store.add_chunk(self._claim, chunk, [], done=results)
        self._ledger.add_known(chunk, results)
        self._is_planning = False
        self._on_planned()

    def _leave_rest(self, opened: Chunk, start: int) -> None:
        """The engine took less than what lies between two chunks: the rest is one more."""
        rest = replace(opened, index=len(self._ledger.chunks), start_sample=start, failures=0)
        self._store.add_chunk(self._claim, rest, [])
        self._ledger.add_chunk(rest, [])

    def _elected(
        self,
        chunk: Chunk,
        windows: list[Window],
        language: str | None,
        probability: float | None,
    ) -> None:
        self._note_language(language, probability)
        self._commit(replace(chunk, language=language), windows)

    def _note_language(self, language: str | None, probability: float | None) -> None:
        self.language, self.language_probability = language, probability
        if language is not None:
            self._store.set_language(self._claim, language=language, probability=probability)

    def _commit(self, chunk: Chunk, windows: list[Window]) -> None:
        self._store.add_chunk(self._claim, chunk, windows)
        self._ledger.add_chunk(chunk, windows)
        self._is_planning = False
        self._on_planned()

    def _failed(self, opened: Chunk, error: TranscriberError) -> None:
        self._is_planning = False
        if isinstance(error, EngineOutOfMemory):
            self.shrink("there was not enough memory to plan a chunk")
        self._failures.at_plan(opened, error)

    def _set_size(self, size: ChunkSize) -> None:
        self._size = size
        log.info(
            "Job %s: chunks of at most %.0f s, because: %s", self._job.id, size.seconds, size.reason
        )
