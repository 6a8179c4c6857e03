"""Rows to records and back: the only place that knows how a column is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import msgspec

from voice_transcriber.errors import DatabaseDamaged
from voice_transcriber.job import (
    Chunk,
    Job,
    JobError,
    JobStatus,
    NewJob,
    Priority,
    Stage,
    TranscribeOptions,
    Window,
    WindowStatus,
    search_key,
)
from voice_transcriber.transcript.model import Segment, Transcript

Row = Mapping[str, Any]

_TRANSCRIPT = msgspec.json.Decoder(Transcript)  # makes the records while it reads, at once


def to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _job_error(text: str | None) -> JobError | None:
    return None if text is None else JobError(**json.loads(text))


_JOB_COLUMNS: Mapping[str, Callable[[Any], Any]] = {
    "status": JobStatus,
    "options": lambda text: TranscribeOptions(**json.loads(text)),
    "priority": Priority,
    "cancel_requested": bool,
    "stage": Stage,
    "error": _job_error,
    "performance": json.loads,
}
_JOB_FIELDS = tuple(field.name for field in fields(Job))


def job_from_row(row: Row) -> Job:
    values = {name: row[name] for name in _JOB_FIELDS}
    return Job(**values | {name: read(row[name]) for name, read in _JOB_COLUMNS.items()})


def row_from_job(job: Job, *, revision: int) -> dict[str, Any]:
    """Of a job that is brought back: it gets the next place in the order of acceptance."""
    values = {name: getattr(job, name) for name in _JOB_FIELDS if name != "seq"}
    return values | {
        "revision": revision,
        "status": job.status.value,
        "search_key": search_key(job.filename),
        "options": to_json(asdict(job.options)),
        "priority": job.priority.value,
        "cancel_requested": int(job.cancel_requested),
        "stage": job.stage.value,
        "error": None if job.error is None else error_to_column(job.error),
        "performance": to_json(job.performance),
    }


def row_from_new_job(new: NewJob, *, now: float, revision: int) -> dict[str, Any]:
    return {
        "id": new.id,
        "revision": revision,
        "status": JobStatus.QUEUED.value,
        "filename": new.filename,
        "search_key": search_key(new.filename),
        "blob_sha256": new.blob_sha256,
        "size_bytes": new.size_bytes,
        "options": to_json(asdict(new.options)),
        "priority": new.priority.value,
        "created_at": now,
        "queued_at": now,
        "run_at": new.run_at,
        "submitter": new.submitter,
        "language": new.options.language,
    }


def error_to_column(error: JobError) -> str:
    return to_json(asdict(error))


def row_from_chunk(job_id: str, chunk: Chunk) -> dict[str, Any]:
    return {"job_id": job_id, **asdict(chunk)}


def chunk_from_row(row: Row) -> Chunk:
    values = {field.name: row[field.name] for field in fields(Chunk)}
    return Chunk(**values | {"is_planned": bool(row["is_planned"])})


def row_from_window(job_id: str, window: Window) -> dict[str, Any]:
    return {"job_id": job_id, **asdict(window), "status": window.status.value}


def window_from_row(row: Row) -> Window:
    values = {field.name: row[field.name] for field in fields(Window)}
    return Window(**values | {"status": WindowStatus(row["status"])})


def segments_to_column(segments: Iterable[Segment]) -> str:
    return to_json([segment.to_dict() for segment in segments])


def segments_from_column(text: str) -> Sequence[Segment]:
    return tuple(Segment.from_dict(segment) for segment in json.loads(text))


def transcript_to_column(transcript: Transcript) -> str:
    return to_json(transcript.to_dict())


def row_from_transcript(job_id: str, content: str) -> dict[str, Any]:
    """`content` as transcript_to_column writes it."""
    return {"job_id": job_id, "content": content, "checksum": text_sha256(content)}


def content_of_transcript(row: Row) -> str:
    """Raises DatabaseDamaged when it is not what was written."""
    content: str = row["content"]
    if row["checksum"] not in (None, text_sha256(content)):
        raise DatabaseDamaged(f"The transcript of job {row['job_id']} is damaged.")
    return content


def text_sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def transcript_from_column(text: str) -> Transcript:
    try:
        return _TRANSCRIPT.decode(text)
    except msgspec.DecodeError:  # a figure is NaN, which json alone reads and writes
        return Transcript.from_dict(json.loads(text))
