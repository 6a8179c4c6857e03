"""What clients ask of jobs: submit, cancel, retry, delete, look."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from voice_transcriber.blobs.base import BlobStore, StagedBlob, StoredBlob
from voice_transcriber.engines.checkpoints import Checkpoints, ModelInfo
from voice_transcriber.engines.offered import OfferedEngines
from voice_transcriber.errors import (
    DiskFull,
    EmptyFile,
    Infected,
    InvalidRequest,
    QueueFull,
    ShuttingDown,
    TooManyQueued,
    TranscriberError,
    WrongState,
)
from voice_transcriber.files import free_bytes
from voice_transcriber.job import (
    SAMPLE_RATE,
    Chunk,
    ChunkStatus,
    Job,
    JobStatus,
    NewJob,
    Priority,
    TranscribeOptions,
    Window,
)
from voice_transcriber.jobs.blob_use import BlobUse
from voice_transcriber.jobs.coverage import chunk_fraction, chunk_status
from voice_transcriber.jobs.known import KnownResults
from voice_transcriber.jobs.recovered_jobs import is_bare_recording
from voice_transcriber.jobs.scanner import Clamd
from voice_transcriber.jobs.scanning import RecordingScan
from voice_transcriber.jobs.sidecar import Sidecars
from voice_transcriber.jobs.worker import Workers
from voice_transcriber.store.base import Plan, Store
from voice_transcriber.submission import Once, Origin
from voice_transcriber.transcript.merge import merge_segments
from voice_transcriber.transcript.model import Segment

MIN_FREE_BYTES = 200_000_000  # left for the database, logs and decoded audio
ANSWER_S = 10.0  # to end a job whose text is known; a worker takes it when that fails
UPLOAD_COPIES = 2  # the server's spool and the stored file exist side by side for a moment


@dataclass(frozen=True, kw_only=True)
class ChunkState:
    """One chunk of a job as clients see it."""

    index: int  # in the order of time
    start_s: float
    end_s: float
    status: ChunkStatus
    percent: float
    attempt: int  # which try at it this is, from 1
    error: str | None  # why it was given up


@dataclass(frozen=True, kw_only=True)
class JobDetail:
    """A job with what its page shows."""

    job: Job
    chunks: Sequence[ChunkState]
    segments: Sequence[Segment]  # so far, or final
    queue_position: int | None  # 1 is next; None when it does not wait


class JobManager:
    """Called from any thread."""

    def __init__(
        self,
        *,
        store: Store,
        blobs: BlobStore,
        checkpoints: Checkpoints,
        engines: OfferedEngines,
        sidecars: Sidecars,
        workers: Workers,
        known: KnownResults,
        data_dir: Path,
        max_queue_size: int,
        max_queue_per_key: int,
        scanner: Clamd | None = None,
        free_bytes: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._checkpoints = checkpoints
        self._engines = engines
        self._sidecars = sidecars
        self._workers = workers
        self._known = known
        self._data_dir = data_dir
        self._free_bytes = free_bytes
        self._max_queue_size = max_queue_size
        self._max_queue_per_key = max_queue_per_key
        self._blob_use = BlobUse(store, blobs)
        self.scan = RecordingScan(scanner, store=store, blobs=blobs, blob_use=self._blob_use)
        self.is_draining = False

    def check_accepts(
        self, *, size_bytes: int = 0, copies: int = UPLOAD_COPIES, submitter: str | None = None
    ) -> None:
        """Raises ShuttingDown, QueueFull, TooManyQueued or DiskFull when an upload of this size,
        which is on the disk so many times at once, has no place.
        """
        if self.is_draining:
            raise ShuttingDown
        if self._store.counts()[JobStatus.QUEUED] >= self._max_queue_size:
            raise QueueFull
        if submitter and self._store.queued_of(submitter) >= self._max_queue_per_key:
            raise TooManyQueued
        self.check_disk(copies * size_bytes + self._store.awaited_bytes())

    def check_room(self, size_bytes: int) -> None:
        """For more of what was begun. Raises ShuttingDown, DiskFull."""
        if self.is_draining:
            raise ShuttingDown
        self.check_disk(size_bytes)

    def check_disk(self, size_bytes: int = 0) -> None:
        """Raises DiskFull when so many bytes have no place."""
        if self._free_bytes(self._data_dir) < MIN_FREE_BYTES + size_bytes:
            raise DiskFull

    def check_options(self, options: TranscribeOptions) -> None:
        """Raises UnknownModel, EngineNotOffered, InvalidRequest."""
        _check_options(self._checkpoints.resolve(options.model), options)
        self._engines.check(options.engine)

    def submit(
        self,
        upload: StagedBlob,
        *,
        filename: str,
        options: TranscribeOptions,
        priority: Priority,
        origin: Origin = Origin(),  # noqa: B008
        upload_id: str | None = None,
    ) -> Job:
        """Accept an upload as a job; when this returns both survive a power cut.

        The same request again (`origin`), or another one for the same `upload_id`, finds the job
        that is there. Raises EmptyFile, UnknownModel, EngineNotOffered, InvalidRequest, QueueFull,
        TooManyQueued, ShuttingDown, DiskFull, KeyReused, and Infected, ScannerAway, Busy where
        uploads are scanned; the upload is discarded then.
        """
        try:
            if self.is_draining:
                raise ShuttingDown
            if not upload.size_bytes:
                raise EmptyFile
            self.check_options(options)
            with self._blob_use.job_on_its_way():
                blob = upload.commit()
                self.scan.check(blob.sha256)
                new = _new_job(blob, filename, options, priority, origin.submitter)
                finding = self._known.find(new.blob_sha256, options)
                if finding:  # no worker takes the job while it is answered here
                    new = replace(new, run_at=time.time() + ANSWER_S)
                once = Once(key=origin.key_for(_wanted(new)), upload_id=upload_id)
                job = self._add(new, once)
        finally:
            upload.discard()
        if job.id != new.id:
            self.delete_unneeded_blob(new.blob_sha256)
            return job
        if finding and self._known.complete_queued(job, finding):
            return self._store.get(job.id)
        self._workers.wake()
        return job

    def submit_file(
        self,
        path: Path,
        *,
        options: TranscribeOptions,
        origin: Origin = Origin(),  # noqa: B008
    ) -> Job:
        """Accept a copy of a local file as a job; raises as submit does."""
        upload = self._blobs.writer()
        try:
            with path.open("rb") as file:
                shutil.copyfileobj(file, upload)
        except BaseException:
            upload.discard()
            raise
        return self.submit(
            upload,
            filename=path.name,
            options=options,
            priority=Priority.NORMAL,
            origin=origin,
        )

    def delete_unneeded_blob(self, sha256: str) -> None:
        """As soon as that is safe, and unless a job or an upload needs it."""
        self._blob_use.delete_unneeded(sha256)

    def _add(self, new: NewJob, once: Once) -> Job:
        try:
            job = self._store.add(
                new,
                max_queued=self._max_queue_size,
                max_of_submitter=self._max_queue_per_key,
                once=once,
            )
        except TranscriberError:
            self._blob_use.delete_unneeded(new.blob_sha256)
            raise
        if job.id == new.id:
            # After the commit: a record alone would come back as a job that its client asks for
            # again. What a kill in between leaves out, the next start writes.
            self._sidecars.note(job)
        return job

    def cancel(self, job_id: str) -> Job:
        """Raises NotFound, or WrongState when the job has ended."""
        job = self._store.cancel(job_id)
        self._sidecars.note(job)
        self._workers.cancel(job_id)
        return job

    def set_priority(self, job_id: str, priority: Priority) -> Job:
        """Raises NotFound, or WrongState when the job no longer waits."""
        job = self._store.set_priority(job_id, priority)
        self._sidecars.note(job)
        self._workers.wake()  # it may be more urgent now than what runs
        return job

    def retry(self, job_id: str) -> Job:
        """Raises NotFound, WrongState, QueueFull, TooManyQueued, DiskFull, ShuttingDown, and what a
        scan raises where uploads are scanned and only the recording was left of the job, which is
        deleted when it is infected.
        """
        if self.is_draining:
            raise ShuttingDown
        self.check_disk()
        self._scan_bare_recording(job_id)
        job = self._store.retry(
            job_id,
            max_queued=self._max_queue_size,
            max_of_submitter=self._max_queue_per_key,
        )
        self._sidecars.note(job)
        self._workers.wake()
        return job

    def _scan_bare_recording(self, job_id: str) -> None:
        job = self._store.get(job_id)
        if not is_bare_recording(job):
            return
        try:
            self.scan.check(job.blob_sha256)
        except Infected:
            self.delete(job_id)
            raise

    def delete(self, job_id: str) -> None:
        """Remove an ended job with its transcript and, when no other job needs it, its audio.

        Raises NotFound, or WrongState while it is queued or running.
        """
        job = self._store.delete(job_id)
        self._sidecars.delete(job_id)
        self._known.forget_job(job_id)
        self._blob_use.delete_unneeded(job.blob_sha256)

    def detail(self, job_id: str) -> JobDetail:
        """Raises NotFound."""
        job = self._store.get(job_id)
        if job.status is JobStatus.COMPLETED:
            return self._completed(job)
        plan = self._store.plan(job_id)
        windows: dict[int, list[Window]] = {chunk.index: [] for chunk in plan.chunks}
        for window in plan.windows:
            windows[window.chunk_index].append(window)
        chunks = [
            _chunk_state(
                chunk,
                index=index,
                status=chunk_status(
                    chunk, windows[chunk.index], is_running=job.status is JobStatus.RUNNING
                ),
                percent=round(100 * chunk_fraction(chunk, windows[chunk.index]), 1),
            )
            for index, chunk in enumerate(_in_time_order(plan))
        ]
        return JobDetail(
            job=job,
            chunks=chunks,
            segments=merge_segments(plan.segments.values()),
            queue_position=self._queue_position(job),
        )

    def _completed(self, job: Job) -> JobDetail:
        try:
            segments = self._store.transcript(job.id).segments
        except WrongState:  # retried or deleted in between
            segments = ()
        chunks = [
            _chunk_state(chunk, index=index, status=ChunkStatus.DONE, percent=100.0)
            for index, chunk in enumerate(_in_time_order(self._store.plan(job.id)))
        ]
        return JobDetail(job=job, chunks=chunks, segments=segments, queue_position=None)

    def _queue_position(self, job: Job) -> int | None:
        if job.status is not JobStatus.QUEUED:
            return None
        order = self._store.queue_order(limit=self._max_queue_size)
        return order.index(job.id) + 1 if job.id in order else None


def _in_time_order(plan: Plan) -> Sequence[Chunk]:
    """A chunk that was cut in two has its second half at the end of the plan."""
    return sorted(plan.chunks, key=lambda chunk: chunk.start_sample)


def _chunk_state(chunk: Chunk, *, index: int, status: ChunkStatus, percent: float) -> ChunkState:
    return ChunkState(
        index=index,
        start_s=chunk.start_sample / SAMPLE_RATE,
        end_s=chunk.end_sample / SAMPLE_RATE,
        status=status,
        percent=percent,
        attempt=chunk.attempt,
        error=chunk.error,
    )


def _new_job(
    blob: StoredBlob,
    filename: str,
    options: TranscribeOptions,
    priority: Priority,
    submitter: str | None,
) -> NewJob:
    return NewJob(
        id=uuid.uuid4().hex,
        filename=filename,
        blob_sha256=blob.sha256,
        size_bytes=blob.size_bytes,
        options=options,
        priority=priority,
        submitter=submitter,
    )


def _wanted(new: NewJob) -> dict[str, Any]:
    """All that a client asks for, as JSON values: what differs makes another request."""
    own = {"id", "run_at", "submitter"}
    return {"job": {name: value for name, value in asdict(new).items() if name not in own}}


def _check_options(model: ModelInfo, options: TranscribeOptions) -> None:
    _check_selection(options)
    foreign = options.language not in {None, "en"} or options.task == "translate"
    if model.english_only and foreign:
        raise InvalidRequest(
            f"The model {model.name} understands English only.",
            remedy=f"Choose {model.name.removesuffix('.en')}, or the language English.",
        )


def _check_selection(options: TranscribeOptions) -> None:
    if options.from_s < 0 or (options.to_s is not None and options.to_s <= options.from_s):
        raise InvalidRequest(
            "The part to be transcribed ends before it begins.",
            remedy="Give an end that is later than the start.",
        )
    if options.audio_track is not None and options.audio_track < 0:
        raise InvalidRequest("Sound tracks are numbered from 0.")
