"""One attempt at a job's audio: plans chunks, keeps the engine fed, commits what comes back.

A single thread owns an object and runs all of its methods. What is committed is
never planned or decoded again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from voice_transcriber.audio.decode import Decoding
from voice_transcriber.audio.selection import Selection
from voice_transcriber.engines.client import Blame, EngineClient, HostCrash
from voice_transcriber.engines.protocol import (
    LanguageRequest,
    Place,
    PlanReply,
    PlanRequest,
    WindowReply,
    WindowRequest,
)
from voice_transcriber.job import SAMPLE_RATE, Chunk, Claim, Job, Stage, Window
from voice_transcriber.jobs.control import JobControl, JobStopped, StopReason
from voice_transcriber.jobs.conversation import Conversation
from voice_transcriber.jobs.language_questions import LanguageQuestions
from voice_transcriber.jobs.ledger import Ledger
from voice_transcriber.jobs.pace import Pace
from voice_transcriber.store.base import Progress, Store, WindowResult
from voice_transcriber.transcript.languages import SEVERAL_LANGUAGES

log = logging.getLogger(__name__)

MAX_WINDOW_CRASHES = 3
WAIT_S = 0.5  # between two looks at cancel, drain and decoded audio


@dataclass(frozen=True, kw_only=True)
class TranscriptionOptions:
    """What the settings say about every job."""

    chunk_size_s: float
    level_audio: bool
    windows_in_flight: int  # enough to fill the next batch while one is in work


class Transcription:
    """Runs until every window is done or failed."""

    def __init__(
        self,
        *,
        job: Job,
        claim: Claim,
        checkpoint: Path,
        decoding: Decoding,
        store: Store,
        engine: EngineClient,
        control: JobControl,
        options: TranscriptionOptions,
    ) -> None:
        self._job = job
        self._claim = claim
        self._checkpoint = checkpoint
        self._decoding = decoding
        self._store = store
        self._engine = engine
        self._control = control
        self._options = options
        self._talk = Conversation(engine)
        self._languages = LanguageQuestions(
            self._talk, request=self._language_request, on_stages=self._note_stages
        )
        self._start_sample = Selection.of(job.options).start_sample
        self._results: list[WindowResult] = []  # received, not yet committed
        self._is_planning = False
        self._stage = Stage.TRANSCRIBING
        self._pace = Pace(store.speeds().get(job.options.model))
        self.ledger = Ledger(store.plan(job.id), start_sample=self._start_sample)
        self._has_several_languages = job.options.language == SEVERAL_LANGUAGES
        self.language = None if self._has_several_languages else job.language
        self.language_probability = job.language_probability
        self.stages_s: dict[str, float] = {}
        self.crash_cause = ""  # of the last engine death at one of the windows
        self.place: Place | None = None  # what the last window was decoded on

    def run(self) -> None:
        """Raises JobStopped, ClaimLost, UserError, ModelError, EngineError."""
        try:
            while not self._is_done():
                self._control.check()
                if not self._control.is_draining:
                    self._plan_ahead()
                    self._submit_windows()
                elif not len(self._talk):
                    raise JobStopped(StopReason.SHUTDOWN)
                self._decoding.wait(0, timeout_s=0)  # raises what ended the decoding
                self._talk.receive(timeout_s=WAIT_S)
                self._commit()
                self._show_stage()
        finally:
            self._talk.end()

    @property
    def main_language(self) -> str | None:
        """Given, detected, or that of most of the speech where there are several."""
        return self.language or self.ledger.main_language

    def _is_done(self) -> bool:
        if len(self._talk) or self.ledger.waiting or not self._decoding.finished:
            return False
        return self.ledger.planned_to >= self._decoding.samples

    def _plan_ahead(self) -> None:
        """Ask for the next chunk's plan when the engine could run dry and the audio is there."""
        if self._is_planning or len(self.ledger.waiting) >= self._options.windows_in_flight:
            return
        request = self._next_plan()
        if request is not None:
            self._is_planning = True
            self._talk.ask(request, partial(self._on_planned, request))

    def _next_plan(self) -> PlanRequest | None:
        start = self.ledger.planned_to
        limit = start + round(self._options.chunk_size_s * SAMPLE_RATE)
        # `finished` is read first: the number of samples is final only then.
        finished = self._decoding.finished
        available = self._decoding.samples
        if available <= start or (available < limit and not finished):
            return None
        return PlanRequest(
            pcm=str(self._decoding.pcm),
            start=start,
            limit=min(limit, available),
            is_last=finished and available <= limit,
            vad_filter=self._job.options.vad_filter,
            level=self._options.level_audio,
            by_language=self._has_several_languages,
        )

    def _on_planned(self, request: PlanRequest, reply: PlanReply) -> None:
        self._note_stages(reply.stages_s)
        chunk = Chunk(
            index=len(self.ledger.chunks),
            start_sample=request.start,
            end_sample=reply.end,
            language=self.language,
            gain=reply.gain,
        )
        windows = [
            Window(
                chunk_index=chunk.index,
                start_sample=start,
                end_sample=end,
                speech_end_sample=speech_end,
            )
            for start, end, speech_end in reply.windows
        ]
        if windows and self._has_several_languages:
            before = self.ledger.last_language
            self._languages.ask_each(chunk, windows, before, partial(self._commit_chunk, chunk))
        elif windows and self.language is None:
            self._languages.ask(chunk, windows, partial(self._on_language, chunk, windows))
        else:
            self._commit_chunk(chunk, windows)

    def _language_request(self, chunk: Chunk, windows: Sequence[Window]) -> LanguageRequest:
        return LanguageRequest(
            pcm=str(self._decoding.pcm),
            model=self._job.options.model,
            checkpoint=str(self._checkpoint),
            gain=chunk.gain,
            windows=[(window.start_sample, window.end_sample) for window in windows],
        )

    def _on_language(
        self, chunk: Chunk, windows: list[Window], language: str, probability: float
    ) -> None:
        self.language, self.language_probability = language, probability
        self._store.set_language(self._claim, language=language, probability=probability)
        self._commit_chunk(replace(chunk, language=language), windows)

    def _commit_chunk(self, chunk: Chunk, windows: list[Window]) -> None:
        self._store.add_chunk(self._claim, chunk, windows)
        self.ledger.add_chunk(chunk, windows)
        self._is_planning = False
        self._store.progress(self._claim, self._progress())

    def _submit_windows(self) -> None:
        waiting = self.ledger.waiting
        while waiting and len(self._talk) < self._options.windows_in_flight:
            if waiting[0].end_sample > self._decoding.samples:
                return  # a resumed job's audio is decoded again up to here first
            window = waiting.popleft()
            self._talk.ask(
                self._window_request(window),
                partial(self._on_window, window),
                partial(self._on_window_crash, window),
            )

    def _window_request(self, window: Window) -> WindowRequest:
        options = self._job.options
        chunk = self.ledger.chunks[window.chunk_index]
        return WindowRequest(
            pcm=str(self._decoding.pcm),
            model=options.model,
            checkpoint=str(self._checkpoint),
            gain=chunk.gain,
            start=window.start_sample,
            end=window.end_sample,
            speech_end=window.speech_end_sample,
            vad_filter=options.vad_filter,
            language=window.language or chunk.language or self.language,
            task=options.task,
            prompt=options.prompt,
            hotwords=options.hotwords,
            word_timestamps=options.word_timestamps,
            priority=self._job.priority,
            alone=self.ledger.is_suspect(window),
        )

    def _on_window(self, window: Window, reply: WindowReply) -> None:
        self._note_stages(reply.stages_s)
        self.place = self._engine.place(self._job.options.model)
        segments = reply.segments
        if window.language is not None:
            segments = [replace(segment, language=window.language) for segment in segments]
        self._results.append(self.ledger.finish(window, segments, reply.resume_sample))

    def _on_window_crash(self, window: Window, crash: HostCrash) -> None:
        """A suspect goes again alone; alone it may end the engine three times."""
        self.ledger.suspect(window)
        self.crash_cause = crash.cause
        if crash.blame is Blame.ALONE:
            window = self._store.count_window_crash(
                self._claim, window, max_crashes=MAX_WINDOW_CRASHES
            )
            log.error(
                "Job %s: the window at %.1f s ended the engine (%d of %d): %s",
                self._job.id,
                window.start_sample / SAMPLE_RATE,
                window.crashes,
                MAX_WINDOW_CRASHES,
                crash.cause,
            )
        self.ledger.again(window)

    def _commit(self) -> None:
        if not self._results:
            return
        results, self._results = self._results, []
        self._store.finish_windows(self._claim, results, self._progress())

    def _show_stage(self) -> None:
        """Loading a large model takes a while in which no window is finished."""
        if self._stage is not self._current_stage():
            self._store.progress(self._claim, self._progress())

    def _current_stage(self) -> Stage:
        loading = self._engine.loading == self._job.options.model
        ready = self._engine.is_ready and not loading
        return Stage.TRANSCRIBING if ready else Stage.LOADING_MODEL

    def _progress(self) -> Progress:
        self._stage = self._current_stage()
        percent = self.ledger.percent(total_samples=self._total_samples())
        return Progress(
            stage=self._stage,
            percent=percent,
            text_tail=self.ledger.text_tail(),
            ends_at=self._ends_at(percent),
        )

    def _ends_at(self, percent: float) -> float | None:
        if self._stage is not Stage.TRANSCRIBING:
            return None
        total_s = self._total_samples() / SAMPLE_RATE
        remaining_s = self._pace.remaining_s(done_s=total_s * percent / 100, total_s=total_s)
        return None if remaining_s is None else time.time() + remaining_s

    def _total_samples(self) -> int:
        """Length of what is decoded: exact once it is, until then by the file's header."""
        if self._decoding.finished:
            return self._decoding.samples - self._start_sample
        return round((self._job.duration_s or 0.0) * SAMPLE_RATE)

    def _note_stages(self, stages_s: Mapping[str, float]) -> None:
        for name, seconds in stages_s.items():
            self.stages_s[name] = self.stages_s.get(name, 0.0) + seconds
