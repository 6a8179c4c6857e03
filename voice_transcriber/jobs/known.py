"""Between jobs and the result cache: what is known of a job before it runs, and what it leaves."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voice_transcriber import kill_points
from voice_transcriber.audio.decode import Decoding
from voice_transcriber.audio.selection import Selection
from voice_transcriber.engines.protocol import Place
from voice_transcriber.errors import ClaimLost, NotFound, TranscriberError
from voice_transcriber.job import SAMPLE_RATE, Claim, Job, JobStatus, TranscribeOptions
from voice_transcriber.jobs.coverage import text_tail
from voice_transcriber.jobs.hooks import JobHooks
from voice_transcriber.jobs.known_chunks import KnownChunks
from voice_transcriber.jobs.recipes import Recipes
from voice_transcriber.jobs.sidecar import Sidecars
from voice_transcriber.results.cache import ResultCache
from voice_transcriber.results.contents import KnownTranscript, packed_transcript
from voice_transcriber.results.keys import Computing, file_key, selection_key
from voice_transcriber.store.base import Store
from voice_transcriber.store.results import DecodedAs, KnownAnswer, ResultNotes, StoredResult
from voice_transcriber.store.rows import transcript_to_column
from voice_transcriber.transcript.model import Transcript

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A transcript that fits a job."""

    key: str
    known: KnownTranscript
    decoded: DecodedAs


@dataclass(frozen=True, kw_only=True)
class Computed:
    """What a run tells of the text that it computed."""

    transcript: Transcript
    performance: Mapping[str, Any]
    decoded: DecodedAs | None
    places: Collection[Place]  # what its windows were decoded on
    chunks: KnownChunks


class KnownResults:
    """Called from any thread. Nothing here fails a job: at worst it is computed."""

    def __init__(
        self,
        cache: ResultCache,
        *,
        recipes: Recipes,
        store: Store,
        sidecars: Sidecars,
        hooks: JobHooks,
        decoder_version: str,
    ) -> None:
        self._cache = cache
        self._recipes = recipes
        self._store = store
        self._sidecars = sidecars
        self._hooks = hooks
        self._decoder_version = decoder_version

    @property
    def is_on(self) -> bool:
        return self._cache.is_on

    def find(self, blob_sha256: str, options: TranscribeOptions) -> Finding | None:
        """What is known of a recording that was decoded before; takes milliseconds."""
        if not self._is_asked(options):
            return None
        try:
            decoded = self._store.find_decoded(blob_sha256, self._selection(options))
            return self._found(decoded, options) if decoded else None
        except TranscriberError as error:
            log.warning("The cache could not be asked: %s", error.message)
            return None

    def find_decoded(self, decoded: DecodedAs, options: TranscribeOptions) -> Finding | None:
        """The same of audio that was decoded just now, whatever file it was in."""
        if not self._is_asked(options):
            return None
        try:
            return self._found(decoded, options)
        except TranscriberError as error:
            log.warning("The cache could not be asked: %s", error.message)
            return None

    def learn(self, checkpoint: Path, *, check: Callable[[], None]) -> None:
        """Before a run: the hash of its model's file. Raises what `check` raises."""
        if not self.is_on:
            return
        try:
            self._recipes.learn(checkpoint, check=check)
        except (OSError, TranscriberError) as error:
            log.warning("Nothing is cached, the model's file could not be read: %s", error)

    def chunks(self, job: Job, decoding: Decoding) -> KnownChunks:
        """For one run of a job."""
        return KnownChunks(self._cache, self._recipes, job, decoding.pcm)

    def decoded_as(self, job: Job, decoding: Decoding, *, duration_ms: int) -> DecodedAs | None:
        """What the job's recording is; None while that is not known."""
        if not decoding.finished or decoding.sha256 is None:
            return None
        return DecodedAs(
            blob_sha256=job.blob_sha256,
            selection=self._selection(job.options),
            pcm_sha256=decoding.sha256,
            end_sample=decoding.samples,
            duration_ms=duration_ms,
        )

    def complete_queued(self, job: Job, finding: Finding) -> bool:
        """End a job that nobody runs; False when that failed, and the job waits for a worker."""
        self._hooks.started(job, dict)
        performance: Mapping[str, Any] = {}
        done = False
        try:
            answer = _answer(job, finding, {})
            self._sidecars.write(_answered(job, answer), answer.content)
            if done := self._store.complete_queued(job.id, answer):
                performance = answer.performance
                self._note_hit(job, finding)
        except (OSError, TranscriberError) as error:
            log.warning("Job %s could not be answered from the cache: %s", job.id, error)
        finally:
            if not done:
                self._take_back(job.id)
            self._hooks.ended(job, performance)
        return done

    def complete_running(
        self, job: Job, claim: Claim, finding: Finding, performance: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The figures that are kept with the job. Raises ClaimLost, DiskFull."""
        answer = _answer(job, finding, performance)
        with self._taken_back_when_lost(job.id):
            self._sidecars.write(_answered(self._store.get(job.id), answer), answer.content)
            self._store.complete_known(claim, answer)
        self._note_hit(job, finding)
        return answer.performance

    def complete_computed(self, job: Job, claim: Claim, computed: Computed) -> None:
        """Store the end of a job, and what it leaves to later ones. Raises ClaimLost, DiskFull."""
        with self._taken_back_when_lost(job.id):
            done = _completed(self._store.get(job.id), computed.performance)
            self._sidecars.write(done, transcript_to_column(computed.transcript))
            kill_points.reached("result-written")
            self._store_computed(job, claim, computed)

    def _store_computed(self, job: Job, claim: Claim, computed: Computed) -> None:
        if not self.is_on:
            self._store.complete(claim, computed.transcript, computed.performance)
            return
        deletions, made = self._cache.deletions, self._made(job, computed)
        notes = ResultNotes(
            made=made if self._cache.is_on_disk else None,
            used=computed.chunks.used,
            decoded=computed.decoded,
        )
        self._store.complete(claim, computed.transcript, computed.performance, notes)
        self._cache.misses += 1
        if made:
            self._cache.remember(made, job.id, deletions=deletions)

    def forget_job(self, job_id: str) -> None:
        """It was deleted."""
        self._cache.forget_job(job_id)

    def _is_asked(self, options: TranscribeOptions) -> bool:
        return self.is_on and options.use_cache

    def _found(self, decoded: DecodedAs, options: TranscribeOptions) -> Finding | None:
        computing = self._recipes.expected(options)
        if computing is None:
            return None
        key = _key(decoded, options, computing)
        known = self._cache.transcript(key)
        if known is None:
            return None
        return Finding(key=key, known=known.lasting(decoded.duration_ms), decoded=decoded)

    def _made(self, job: Job, computed: Computed) -> StoredResult | None:
        """None when it is not certain that one recipe describes all of the text."""
        if computed.decoded is None or len(computed.places) > 1:
            return None
        chunks = computed.chunks
        try:
            computing = (
                self._recipes.seen(job.options, *computed.places)
                if computed.places
                else self._recipes.expected(job.options)
            )
        except TranscriberError as error:
            log.warning("A result could not be kept for later jobs: %s", error.message)
            return None
        if computing is None or (chunks.used and chunks.computing != computing):
            return None
        return packed_transcript(
            _key(computed.decoded, job.options, computing), computed.transcript
        )

    @contextmanager
    def _taken_back_when_lost(self, job_id: str) -> Iterator[None]:
        """The text of an attempt that no longer owns its job is not kept."""
        try:
            yield
        except (ClaimLost, NotFound):
            self._take_back(job_id)
            raise

    def _take_back(self, job_id: str) -> None:
        """Remove the text of a job that was not answered, unless a worker may have written it."""
        try:
            if not self._is_of_a_worker(job_id):
                self._sidecars.delete_transcript(job_id)
        except (OSError, TranscriberError) as error:
            log.warning("The text of job %s could not be taken back: %s", job_id, error)

    def _is_of_a_worker(self, job_id: str) -> bool:
        try:
            return self._store.get(job_id).status in (JobStatus.RUNNING, JobStatus.COMPLETED)
        except NotFound:
            return False

    def _note_hit(self, job: Job, finding: Finding) -> None:
        self._cache.hits += 1
        self._cache.belongs_to(finding.key, job.id)

    def _selection(self, options: TranscribeOptions) -> str:
        return selection_key(options, self._decoder_version)


def _key(decoded: DecodedAs, options: TranscribeOptions, computing: Computing) -> str:
    return file_key(
        pcm_sha256=decoded.pcm_sha256,
        start_sample=Selection.of(options).start_sample,
        options=options,
        computing=computing,
    )


def _answer(job: Job, finding: Finding, performance: Mapping[str, Any]) -> KnownAnswer:
    transcript, decoded = finding.known.transcript, finding.decoded
    asked = job.options.language
    start = Selection.of(job.options).start_sample
    tail = {segment.start_ms: [segment] for segment in transcript.segments[-4:]}
    return KnownAnswer(
        key=finding.key,
        content=finding.known.content,
        decoded=replace(decoded, blob_sha256=job.blob_sha256),
        duration_s=(decoded.end_sample - start) / SAMPLE_RATE,
        language=asked or transcript.language,
        language_probability=None if asked else transcript.language_probability,
        text_tail=text_tail(tail),
        performance={**_of_the_answer(performance), "cached": True},
    )


def _answered(job: Job, answer: KnownAnswer) -> Job:
    return replace(
        _completed(job, answer.performance),
        started_at=job.started_at or time.time(),
        duration_s=answer.duration_s,
        language=answer.language,
        language_probability=answer.language_probability,
        text_tail=answer.text_tail,
    )


def _completed(job: Job, performance: Mapping[str, Any]) -> Job:
    """As the store is about to have it."""
    return replace(
        job,
        status=JobStatus.COMPLETED,
        finished_at=time.time(),
        percent=100.0,
        performance=performance,
    )


def _of_the_answer(performance: Mapping[str, Any]) -> Mapping[str, Any]:
    """Memory and processors were the earlier job's."""
    return {"wall_s": performance["wall_s"]} if "wall_s" in performance else {}
