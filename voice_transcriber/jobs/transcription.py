"""One attempt at a job's audio: plans chunks, keeps the engine fed, commits what comes back.

A single thread owns an object and runs all of its methods. What is committed is
never planned or decoded again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from voice_transcriber import kill_points
from voice_transcriber.audio.decode import Decoding
from voice_transcriber.audio.selection import Selection
from voice_transcriber.engines.client import HostCrash
from voice_transcriber.engines.host_watch import Blame
from voice_transcriber.engines.protocol import (
    LanguageRequest,
    Place,
    WindowReply,
    WindowRequest,
)
from voice_transcriber.engines.speech import SpeechEngine
from voice_transcriber.engines.stopwatch import Stopwatch
from voice_transcriber.errors import (
    EngineError,
    EngineOutOfMemory,
    InternalError,
    JobTookTooLong,
)
from voice_transcriber.job import SAMPLE_RATE, Chunk, Claim, Job, Stage, Window
from voice_transcriber.jobs.chunk_failures import ChunkFailures
from voice_transcriber.jobs.chunk_planner import ChunkPlanner
from voice_transcriber.jobs.chunk_size import chosen
from voice_transcriber.jobs.control import JobControl, JobStopped, StopReason
from voice_transcriber.jobs.conversation import Conversation
from voice_transcriber.jobs.known_chunks import KnownChunks
from voice_transcriber.jobs.language_questions import LanguageQuestions
from voice_transcriber.jobs.ledger import Ledger
from voice_transcriber.jobs.losses import MAX_WINDOW_CRASHES
from voice_transcriber.jobs.pace import Pace
from voice_transcriber.store.base import Progress, Store, WindowResult

log = logging.getLogger(__name__)

SAMPLE_BYTES = 2
WAIT_S = 0.5  # between two looks at cancel, drain and decoded audio


@dataclass(frozen=True, kw_only=True)
class TranscriptionOptions:
    """What the settings say about every job."""

    chunk_size_s: float  # at most
    parallel_chunks: int
    level_audio: bool
    beam_size: int
    windows_in_flight: int  # enough to fill the next batch while one is in work
    max_request_bytes: int | None = None  # of samples, where a server computes


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
        engine: SpeechEngine,
        control: JobControl,
        options: TranscriptionOptions,
        known: KnownChunks,
        on_decoded: Callable[[], None],
    ) -> None:
        """`on_decoded` is called once, when all is decoded; what it raises ends the run."""
        self._job = job
        self._claim = claim
        self._checkpoint = checkpoint
        self._decoding = decoding
        self._store = store
        self._engine = engine
        self._control = control
        self._options = options
        self.known = known
        self._on_decoded: Callable[[], None] | None = on_decoded
        self._talk = Conversation(engine)
        self._watch = Stopwatch()
        self._start_sample = Selection.of(job.options).start_sample
        self._results: list[WindowResult] = []  # received, not yet committed
        self._stage = Stage.TRANSCRIBING
        # Speeds are those of the engine that is set.
        speeds = {} if job.options.engine else store.speeds()
        self._pace = Pace(speeds.get(job.options.model))
        self.ledger = Ledger(store.plan(job.id), start_sample=self._start_sample)
        self._failures = ChunkFailures(store, claim, self.ledger)
        self._planner = self._new_planner()
        self.crash_cause = ""  # of the last engine death at one of the windows
        self.place: Place | None = None  # what the last window was decoded on
        self.places: set[Place] = set()  # what all were decoded on, without notes
        self.has_progressed = False  # this attempt committed a window
        self.is_resumed = bool(self.ledger.chunks)  # an earlier attempt did a part of it

    def run(self) -> None:
        """Raises JobStopped, ClaimLost, UserError, ModelError, JobTookTooLong; EngineError when the
        engine fails at whatever it is given.
        """
        try:
            while not self._is_done():
                self._control.check()
                if not self._control.is_draining:
                    self._submit_windows()
                    self._planner.plan_ahead()
                    self._check_engine()
                elif not len(self._talk):
                    raise JobStopped(StopReason.SHUTDOWN)
                self._decoding.wait(0, timeout_s=0)  # raises what ended the decoding
                self._tell_decoded()
                self._receive()
                self._commit()
                self._show_stage()
        except JobTookTooLong:
            self._talk.abandon()
            raise
        finally:
            self._talk.end()

    def _check_engine(self) -> None:
        if not len(self._talk):
            self._failures.check_engine(self.ledger.in_turn(self._options.parallel_chunks))

    def _tell_decoded(self) -> None:
        if self._on_decoded and self._decoding.finished:
            tell, self._on_decoded = self._on_decoded, None
            tell()

    @property
    def main_language(self) -> str | None:
        """Given, detected, or that of most of the speech where there are several."""
        return self._planner.language or self.ledger.main_language

    @property
    def language_probability(self) -> float | None:
        """Of a language that was detected."""
        return self._planner.language_probability

    @property
    def stages_s(self) -> Mapping[str, float]:
        """Seconds by stage. `wait`: what answers took beyond the engine's work for this job."""
        stages_s = self._watch.stages_s
        accounted_s = sum(stages_s.values()) - stages_s.get("write", 0.0)
        return {**stages_s, "wait": max(0.0, self._talk.waited_s - accounted_s)}

    def _receive(self) -> None:
        stage, waited_s = self._current_stage(), self._talk.waited_s
        self._talk.receive(timeout_s=WAIT_S)
        if stage is Stage.LOADING_MODEL:
            self._watch.add({"load": self._talk.waited_s - waited_s})

    def _new_planner(self) -> ChunkPlanner:
        options = self._options
        size = chosen(
            largest_s=options.chunk_size_s,
            parallel=options.parallel_chunks,
            duration_s=self._job.duration_s,
            max_bytes=options.max_request_bytes,
            bytes_per_s=SAMPLE_BYTES * SAMPLE_RATE,
        )
        return ChunkPlanner(
            job=self._job,
            claim=self._claim,
            decoding=self._decoding,
            store=self._store,
            talk=self._talk,
            ledger=self.ledger,
            failures=self._failures,
            languages=LanguageQuestions(
                self._talk, request=self._language_request, on_stages=self._watch.add
            ),
            known=self.known,
            size=size,
            ahead=options.parallel_chunks,
            level_audio=options.level_audio,
            on_stages=self._watch.add,
            on_planned=self._show_progress,
        )

    def _is_done(self) -> bool:
        return not (len(self._talk) or self.ledger.unfinished) and self._planner.is_done

    def _language_request(self, chunk: Chunk, windows: Sequence[Window]) -> LanguageRequest:
        return LanguageRequest(
            pcm=str(self._decoding.pcm),
            model=self._job.options.model,
            engine=self._job.options.engine,
            checkpoint=str(self._checkpoint),
            gain=chunk.gain,
            windows=[(window.start_sample, window.end_sample) for window in windows],
        )

    def _submit_windows(self) -> None:
        at_once = max(self._options.windows_in_flight, 2 * self._engine.batch_size)
        while len(self._talk) < at_once:
            window = self.ledger.take(parallel=self._options.parallel_chunks, may_go=self._may_go)
            if window is None:
                return
            failures = self.ledger.chunks[window.chunk_index].failures
            self._talk.ask(
                self._window_request(window),
                partial(self._on_window, window),
                on_crash=partial(self._on_window_crash, window),
                on_error=partial(self._on_window_error, window, failures),
            )

    def _may_go(self, window: Window) -> bool:
        if self._failures.is_paused(window.chunk_index):
            return False
        # A resumed job's audio is decoded again up to here first.
        return window.end_sample <= self._decoding.samples

    def _window_request(self, window: Window) -> WindowRequest:
        options = self._job.options
        chunk = self.ledger.chunks[window.chunk_index]
        return WindowRequest(
            pcm=str(self._decoding.pcm),
            model=options.model,
            engine=options.engine,
            checkpoint=str(self._checkpoint),
            gain=chunk.gain,
            start=window.start_sample,
            end=window.end_sample,
            speech_end=window.speech_end_sample,
            vad_filter=options.vad_filter,
            language=window.language or chunk.language or self._planner.language,
            task=options.task,
            prompt=options.prompt,
            hotwords=options.hotwords,
            word_timestamps=options.word_timestamps,
            priority=self._job.priority,
            beam_size=self._options.beam_size,
            alone=self.ledger.is_suspect(window),
        )

    def _on_window(self, window: Window, reply: WindowReply) -> None:
        self._failures.at_success()
        self._watch.add(reply.stages_s)
        if reply.place:
            self.place = reply.place
            self.places.add(replace(reply.place, note=None))
        segments = reply.segments
        if window.language is not None:
            segments = [replace(segment, language=window.language) for segment in segments]
        self._results.append(self.ledger.finish(window, segments, reply.resume_sample))

    def _on_window_error(
        self, window: Window, begun: int, error: EngineError | InternalError
    ) -> None:
        self._commit()  # what was left out by windows before it is known to the store then
        if isinstance(error, EngineOutOfMemory):
            self._planner.shrink("the engine had not enough memory")
        self._failures.at_window(window, error, begun=begun)

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
        with self._watch.stage("write"):
            self._store.finish_windows(self._claim, results, self._progress())
            self.has_progressed = True
            kill_points.reached("windows-committed")
            self._keep_chunks({result.window.chunk_index for result in results})

    def _keep_chunks(self, indexes: Collection[int]) -> None:
        """For later jobs. The last chunk is a part of the whole transcript alone."""
        for index in indexes:
            chunk, results = self.ledger.chunks[index], self.ledger.finished(index)
            if results and chunk.end_sample < self._decoding.samples:
                self.known.keep(
                    chunk, results, probability=self.language_probability, places=self.places
                )

    def _show_stage(self) -> None:
        """Loading a large model takes a while in which no window is finished."""
        if self._stage is not self._current_stage():
            self._show_progress()

    def _show_progress(self) -> None:
        with self._watch.stage("write"):
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
