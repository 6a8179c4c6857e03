"""One job from end to end: model, audio, windows, transcript."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from voice_transcriber.audio.decode import Decoder, Decoding
from voice_transcriber.audio.selection import Selection
from voice_transcriber.blobs.base import BlobStore
from voice_transcriber.engines.checkpoints import Checkpoints
from voice_transcriber.engines.offered import OfferedEngines
from voice_transcriber.engines.protocol import Place
from voice_transcriber.engines.speech import SpeechEngine
from voice_transcriber.errors import DecoderCrashed, DownloadStopped
from voice_transcriber.job import SAMPLE_RATE, Claim, Job, Stage
from voice_transcriber.jobs.control import JobControl
from voice_transcriber.jobs.hooks import JobHooks
from voice_transcriber.jobs.known import Computed, Finding, KnownResults
from voice_transcriber.jobs.losses import loss
from voice_transcriber.jobs.sidecar import Sidecars
from voice_transcriber.jobs.transcription import Transcription, TranscriptionOptions
from voice_transcriber.store.base import Progress, Store
from voice_transcriber.store.results import DecodedAs
from voice_transcriber.transcript.merge import merge_segments
from voice_transcriber.transcript.model import Transcript

PROGRESS_INTERVAL_S = 1.0
DECODE_WAIT_S = 0.5
SHORTEST_TIME_LIMIT_S = 3600.0
TIME_FACTOR = 10.0  # of the recording's length


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """The parts that every run uses."""

    store: Store
    blobs: BlobStore
    checkpoints: Checkpoints
    engines: OfferedEngines
    decoder: Decoder
    engine: SpeechEngine
    sidecars: Sidecars
    hooks: JobHooks
    known: KnownResults
    work_dir: Path
    options: TranscriptionOptions
    job_time_limit_s: float | None = None  # None: as long as the recording's length deserves


class JobRun:
    """One attempt at one job. Used by one worker thread."""

    def __init__(self, workshop: Workshop, job: Job, claim: Claim, control: JobControl) -> None:
        self._shop = workshop
        self._job = job
        self._claim = claim
        self._control = control
        self._selection = Selection.of(job.options)
        self._decoding: Decoding | None = None
        self._transcription: Transcription | None = None
        self._stages_s: dict[str, float] = {}
        self._place: Place | None = None
        self._known_chunks = 0  # their text comes from earlier jobs
        self._answered: Mapping[str, Any] | None = None  # figures of a job that was not computed

    def run(self) -> None:
        """Take the job to its transcript.

        Raises JobStopped (cancel, shutdown), ClaimLost, UserError, ModelError,
        CapacityError, EngineError, JobTookTooLong.
        """
        self._shop.hooks.started(self._job, self._process_ids)
        self._shop.engines.check(self._job.options.engine)  # what is set may be another by now
        checkpoint = self._checkpoint()
        known = self._shop.known
        known.learn(checkpoint, check=self._control.check)
        if finding := known.find(self._job.blob_sha256, self._job.options):
            self._answer(finding)
            return
        try:
            self._decoding = self._decode()
            transcription = self._transcribe(checkpoint, self._decoding)
        except _AlreadyKnown as known_now:
            self._answer(known_now.finding)
            return
        finally:
            if self._decoding is not None and not self._decoding.finished:
                self._decoding.stop()
        self._finish(transcription, self._decoding)

    @property
    def has_progressed(self) -> bool:
        """Whether this attempt has committed the text of a window."""
        return self._transcription is not None and self._transcription.has_progressed

    def performance(self) -> Mapping[str, Any]:
        """Figures of this attempt, as they are kept with the job."""
        if self._answered is not None:
            return self._answered
        figures = dict(self._shop.hooks.figures(self._job))
        audio_s = self._job.duration_s
        if audio_s:
            figures["audio_s"] = round(audio_s, 3)
        if self._known_chunks:
            figures["known_chunks"] = self._known_chunks
        elif audio_s:
            worked_s = figures.get("wall_s", 0.0) - self._stages_s.get("download", 0.0)
            figures["real_time_factor"] = round(max(worked_s, 0.0) / audio_s, 4)
            figures["own_s"] = round(max(worked_s - self._others_s(), 0.0), 3)
        if self._job.started_at is not None:
            figures["queue_s"] = round(max(self._job.started_at - self._job.queued_at, 0.0), 3)
        stages_s = {name: round(seconds, 3) for name, seconds in self._stages_s.items()}
        if self._place:
            figures |= {name: value for name, value in asdict(self._place).items() if value}
        return {**figures, "stages_s": stages_s}

    def _others_s(self) -> float:
        """Seconds that were no work for this job: a clip would seem slow by them."""
        return sum(self._stages_s.get(stage, 0.0) for stage in ("load", "wait"))

    def _process_ids(self) -> Mapping[str, int]:
        decoder = self._decoding.pid if self._decoding else None
        found = {"engine": self._shop.engine.pid, "decoder": decoder}
        return {role: pid for role, pid in found.items() if pid is not None}

    def _checkpoint(self) -> Path:
        report = _Throttle(
            lambda done, total: self._shop.store.progress(
                self._claim,
                Progress(
                    stage=Stage.DOWNLOADING_MODEL,
                    percent=self._job.percent,
                    stage_percent=round(100 * done / total, 1) if total else None,
                ),
            )
        )
        model = self._shop.checkpoints.resolve(self._job.options.model)
        if not model.present:
            self._look_at_file()
        started = time.monotonic()
        try:
            path = self._shop.checkpoints.ensure(
                model.name, on_progress=report, should_stop=lambda: self._control.should_stop
            )
        except DownloadStopped:
            raise self._control.stopped() from None
        if not model.present:
            self._stages_s["download"] = time.monotonic() - started
        return path

    def _look_at_file(self) -> None:
        """A bad file neither waits for a model's download nor is blamed on it."""
        with suppress(DecoderCrashed):  # decoding tells whether that is the file's fault
            self._shop.decoder.probe(self._shop.blobs.path(self._job.blob_sha256), self._selection)

    def _decode(self) -> Decoding:
        """Start decoding, and wait until the header or the first error is known."""
        self._limit_time()
        decoding = self._shop.decoder.start(
            self._shop.blobs.path(self._job.blob_sha256),
            self._shop.work_dir / self._job.id,
            self._selection,
        )
        self._decoding = decoding
        self._shop.store.progress(
            self._claim, Progress(stage=Stage.DECODING, percent=self._job.percent)
        )
        while not decoding.wait(SAMPLE_RATE, timeout_s=DECODE_WAIT_S):
            self._control.check()
        probe = decoding.probe
        if probe and (length_s := self._selection.length_s(probe.duration_s)):
            self._note_duration(length_s)
        return decoding

    def _note_duration(self, duration_s: float) -> None:
        if duration_s == self._job.duration_s:
            return
        self._job = replace(self._job, duration_s=duration_s)
        self._limit_time()
        self._shop.store.set_duration(self._claim, duration_s=duration_s)

    def _limit_time(self) -> None:
        limit_s = self._shop.job_time_limit_s
        if limit_s is None:
            limit_s = max(SHORTEST_TIME_LIMIT_S, TIME_FACTOR * (self._job.duration_s or 0.0))
        self._control.limit_time(limit_s)

    def _transcribe(self, checkpoint: Path, decoding: Decoding) -> Transcription:
        transcription = Transcription(
            job=self._job,
            claim=self._claim,
            checkpoint=checkpoint,
            decoding=decoding,
            store=self._shop.store,
            engine=self._shop.engine,
            control=self._control,
            options=self._shop.options,
            known=self._shop.known.chunks(self._job, decoding),
            on_decoded=partial(self._look_again, decoding),
        )
        self._transcription = transcription
        try:
            transcription.run()
        finally:
            self._stages_s |= {"decode": decoding.took_s, **transcription.stages_s}
            self._place = transcription.place
            self._known_chunks = len(transcription.known.used)
        return transcription

    def _finish(self, transcription: Transcription, decoding: Decoding) -> None:
        self._note_duration((decoding.samples - self._selection.start_sample) / SAMPLE_RATE)
        if missing := loss(transcription.ledger, crash_cause=transcription.crash_cause):
            raise missing
        transcript = Transcript(
            language=transcription.main_language,
            language_probability=transcription.language_probability,
            duration_ms=self._file_length_ms(decoding),
            model=self._job.options.model,
            task=self._job.options.task,
            segments=merge_segments(transcription.ledger.segments.values()),
        )
        decoded = self._decoded(decoding)
        computed = Computed(
            transcript=transcript,
            performance=self.performance(),
            decoded=None if transcription.is_resumed else decoded,
            places=transcription.places,
            chunks=transcription.known,
        )
        self._shop.known.complete_computed(self._job, self._claim, computed)

    def _look_again(self, decoding: Decoding) -> None:
        """All is decoded: the length is known, and the same sound may have been transcribed from
        another file. Raises _AlreadyKnown.
        """
        self._note_duration((decoding.samples - self._selection.start_sample) / SAMPLE_RATE)
        decoded = self._decoded(decoding)
        if decoded and (found := self._shop.known.find_decoded(decoded, self._job.options)):
            raise _AlreadyKnown(found)

    def _decoded(self, decoding: Decoding) -> DecodedAs | None:
        length_ms = self._file_length_ms(decoding)
        return self._shop.known.decoded_as(self._job, decoding, duration_ms=length_ms)

    def _answer(self, finding: Finding) -> None:
        figures = self._shop.hooks.figures(self._job)
        self._answered = self._shop.known.complete_running(self._job, self._claim, finding, figures)

    def _file_length_ms(self, decoding: Decoding) -> int:
        """Of the whole file, as far as it was decoded or its header tells."""
        decoded_s = decoding.samples / SAMPLE_RATE
        if self._selection.to_s is None or decoding.probe is None:
            return round(decoded_s * 1000)
        return round(max(decoded_s, decoding.probe.duration_s or 0.0) * 1000)


class _AlreadyKnown(Exception):
    """Nothing more is to be computed."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.key)
        self.finding = finding


class _Throttle:
    """Passes a call on at most once in PROGRESS_INTERVAL_S."""

    def __init__(self, call: Callable[[int, int], None]) -> None:
        self._call = call
        self._next = 0.0

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + PROGRESS_INTERVAL_S
            self._call(done, total)


def remove_work(work_dir: Path, job_id: str) -> None:
    """Remove a job's decoded audio; harmless when there is none."""
    shutil.rmtree(work_dir / job_id, ignore_errors=True)
