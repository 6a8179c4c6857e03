"""What commands ask of jobs, wherever they run: a running server, or this process.

One contract suite (tests/contract/test_jobs_client.py) holds for both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from voice_transcriber.job import (
    LIVE_STATUSES,
    JobError,
    JobStatus,
    Priority,
    Stage,
    TranscribeOptions,
)


@dataclass(frozen=True, kw_only=True)
class JobView:
    """A job as commands show it."""

    id: str
    status: JobStatus
    filename: str
    model: str
    language: str | None  # given or detected
    created_at: int  # Unix seconds
    duration_s: float | None
    percent: float  # of the audio
    stage: Stage
    stage_percent: float | None  # of a model download or a decode
    cancel_requested: bool
    error: JobError | None
    performance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        return self.status in LIVE_STATUSES


@dataclass(frozen=True, kw_only=True)
class ModelView:
    """A model as commands show it."""

    name: str
    note: str
    present: bool  # usable without the network
    size_bytes: int  # of the file where present, else of the download (rounded)
    english_only: bool
    downloadable: bool
    memory_bytes: int  # to load it and to decode full batches
    real_time_factor: float | None  # seconds of work for a second of audio; None: not measured


@dataclass(frozen=True, kw_only=True)
class CacheView:
    """The result cache as commands show it."""

    enabled: bool
    hits: int  # since the start of the program that runs the jobs
    misses: int
    memory_entries: int
    memory_bytes: int
    disk_entries: int
    disk_bytes: int


class JobsClient(Protocol):
    """Jobs, and the models that they may name. Every method may also raise ShuttingDown."""

    @property
    def place(self) -> str:
        """Where the jobs run, in words."""
        ...

    @property
    def default_model(self) -> str:
        """The model of a job that names none."""
        ...

    def models(self) -> Sequence[ModelView]: ...

    def submit(self, path: Path, *, options: TranscribeOptions, priority: Priority) -> JobView:
        """Accept a copy of a file as a job.

        Raises QueueFull, DiskFull, EmptyFile, FileTooLarge, UnknownModel, InvalidRequest, and
        OSError when the file cannot be read.
        """
        ...

    def job(self, job_id: str) -> JobView:
        """Raises NotFound."""
        ...

    def look(self, job_ids: Collection[str]) -> Mapping[str, JobView]:
        """Those of the jobs that still exist."""
        ...

    def jobs(
        self, *, limit: int, statuses: Collection[JobStatus] = (), search: str = ""
    ) -> Sequence[JobView]:
        """Newest first; `search` is a part of the file name."""
        ...

    def cancel(self, job_id: str) -> JobView:
        """Raises NotFound, or WrongState when the job has ended."""
        ...

    def retry(self, job_id: str) -> JobView:
        """Raises NotFound, QueueFull, or WrongState unless the job failed or was cancelled."""
        ...

    def delete(self, job_id: str) -> bool:
        """Remove an ended job and return True; a live one is cancelled, stays, and gives False.

        Raises NotFound.
        """
        ...

    def transcript(self, job_id: str, format_name: str) -> bytes:
        """Raises NotFound, UnknownFormat, or WrongState when the job is not completed."""
        ...

    def cache(self) -> CacheView: ...

    def clear_cache(self, job_id: str | None = None) -> int:
        """Forget all kept results, or those of one job's recording; how many there were.

        Raises NotFound, DiskFull.
        """
        ...
