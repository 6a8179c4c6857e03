"""Jobs of which only a part is left: a transcript of an older version, or the bare recording."""

from __future__ import annotations

import uuid

from voice_transcriber.errors import JobRecordLost
from voice_transcriber.job import Job, JobError, JobStatus, Priority, TranscribeOptions
from voice_transcriber.transcript.model import Transcript

_SHOWN_DIGITS = 12


def job_of_transcript(job_id: str, transcript: Transcript, *, finished_at: float) -> Job:
    """Its recording and its name are not known."""
    return Job(
        id=job_id,
        seq=0,
        revision=0,
        status=JobStatus.COMPLETED,
        filename=f"recovered {job_id[:_SHOWN_DIGITS]}",
        blob_sha256="",
        size_bytes=0,
        options=TranscribeOptions(model=transcript.model, task=transcript.task),
        priority=Priority.NORMAL,
        created_at=finished_at,
        queued_at=finished_at,
        finished_at=finished_at,
        duration_s=transcript.duration_ms / 1000,
        language=transcript.language,
        language_probability=transcript.language_probability,
        percent=100.0,
    )


def job_of_recording(sha256: str, *, size_bytes: int, came_at: float, model: str) -> Job:
    """Failed, for nobody knows what was asked: a retry transcribes it with `model`."""
    error = JobRecordLost()
    return Job(
        id=uuid.uuid4().hex,
        seq=0,
        revision=0,
        status=JobStatus.FAILED,
        filename=f"recovered {sha256[:_SHOWN_DIGITS]}",
        blob_sha256=sha256,
        size_bytes=size_bytes,
        options=TranscribeOptions(model=model),
        priority=Priority.NORMAL,
        created_at=came_at,
        queued_at=came_at,
        finished_at=came_at,
        error=JobError(code=error.code, message=error.message, remedy=error.remedy),
    )


def is_bare_recording(job: Job) -> bool:
    """Whether nothing but the recording was found, which may never have been accepted."""
    return job.error is not None and job.error.code == JobRecordLost.code
