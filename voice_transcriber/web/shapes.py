"""What the native API gives; its document shows the same models."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from voice_transcriber.job import ChunkStatus, Job, JobStatus


def time_text(seconds: float | None) -> str | None:
    """RFC 3339 in UTC from Unix seconds."""
    if seconds is None:
        return None
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class Shape(BaseModel):
    """What the server answers."""

    model_config = ConfigDict(
        from_attributes=True, frozen=True, validate_by_name=True, serialize_by_alias=True
    )

    def json_value(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class ErrorShape(Shape):
    code: str
    message: str
    remedy: str


class ProblemShape(Shape):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable: look at this, not at the texts.")
    remedy: str


class BulkFailureShape(Shape):
    """A job that an action could not change, and why."""

    id: str
    code: str
    message: str
    remedy: str


class BulkShape(Shape):
    """What became of each job."""

    done: Sequence[str] = Field(description="Ids of the jobs that were changed.")
    failed: Sequence[BulkFailureShape]


class ChunkShape(Shape):
    index: int = Field(description="From 0, in the order of time.")
    start: float  # seconds
    end: float
    status: ChunkStatus
    percent: float = Field(description="Of its speech; what has failed counts as finished.")
    attempt: int = Field(description="Which try at it this is, from 1.")
    error: str | None = Field(description="Why it was given up.")


class SegmentShape(Shape):
    start: float  # seconds
    end: float
    text: str
    language: str | None = Field(None, description="Its own, in a recording with several.")


class OptionsShape(Shape):
    """What else was asked for, beside the fields of the job itself."""

    prompt: str | None
    hotwords: str | None
    word_timestamps: bool
    vad_filter: bool
    from_s: float = Field(alias="from", description="Seconds; 0 is the start of the recording.")
    to_s: float | None = Field(alias="to", description="Seconds; null: the end of the recording.")
    audio_track: int | None = Field(description="From 0; null: the first that can be read.")


class JobShape(Shape):
    """A job as lists show it."""

    id: str
    status: JobStatus
    filename: str
    model: str
    language: str | None = Field(
        description="Given or detected; null as long as neither; multi: each segment has its own."
    )
    language_probability: float | None = Field(description="Of a language that was detected.")
    task: str
    engine: str | None = Field(
        description="That the job names; null: the one that is set. `timings` has what was used."
    )
    options: OptionsShape
    priority: str
    created_at: str = Field(examples=["2026-03-01T09:30:00.000Z"])
    started_at: str | None
    finished_at: str | None
    queue_position: int | None = Field(
        description="1 is next; null when it does not wait, or waits far behind."
    )
    waits_for: str | None = Field(
        description="A sentence, where a queued job waits for more than its turn, as for room on "
        "the disk."
    )
    percent: float = Field(description="Of the audio.")
    eta_s: float | None = Field(description="Seconds until it is done, by its speed so far.")
    stage: str = Field(description="What it does now.")
    stage_percent: float | None = Field(description="Of the stage, where that can be told.")
    cancel_requested: bool
    attempt: int = Field(description="How often it was begun.")
    text_tail: str = Field(description="The newest words.")
    duration_s: float | None = Field(description="Length of the recording, when known.")
    size_bytes: int
    cached: bool = Field(description="Its text was known from an earlier job.")
    error: ErrorShape | None
    timings: dict[str, Any] = Field(description="Figures of the run.")

    @classmethod
    def of(cls, job: Job, *, queue_position: int | None) -> Self:
        return cls(**_job_values(job, queue_position))


class JobDetailShape(JobShape):
    """A job as it is looked at by itself."""

    chunks: Sequence[ChunkShape]
    text_so_far: str
    segments: Sequence[SegmentShape]

    @classmethod
    def of_detail(cls, detail: Any) -> Self:
        """From the job manager's JobDetail."""
        return cls(
            **_job_values(detail.job, detail.queue_position),
            chunks=[
                ChunkShape(
                    index=chunk.index,
                    start=chunk.start_s,
                    end=chunk.end_s,
                    status=chunk.status,
                    percent=chunk.percent,
                    attempt=chunk.attempt,
                    error=chunk.error,
                )
                for chunk in detail.chunks
            ],
            text_so_far="".join(segment.text for segment in detail.segments).strip(),
            segments=[
                SegmentShape(
                    start=segment.start_ms / 1000,
                    end=segment.end_ms / 1000,
                    text=segment.text.strip(),
                    language=segment.language,
                )
                for segment in detail.segments
            ],
        )


def _eta_s(job: Job) -> float | None:
    remaining_s = job.remaining_s(now=time.time())
    return None if remaining_s is None else round(remaining_s, 1)


def _job_values(job: Job, queue_position: int | None) -> dict[str, Any]:
    return {
        "id": job.id,
        "status": job.status,
        "filename": job.filename,
        "model": job.options.model,
        "language": job.language or job.options.language,
        "language_probability": job.language_probability,
        "task": job.options.task,
        "engine": job.options.engine,
        "options": OptionsShape.model_validate(job.options),
        "priority": job.priority.name.lower(),
        "created_at": time_text(job.created_at),
        "started_at": time_text(job.started_at),
        "finished_at": time_text(job.finished_at),
        "queue_position": queue_position,
        "waits_for": job.waits_for,
        "percent": round(job.percent, 1),
        "eta_s": _eta_s(job),
        "stage": job.stage.value,
        "stage_percent": job.stage_percent,
        "cancel_requested": job.cancel_requested,
        "attempt": job.attempt,
        "text_tail": job.text_tail,
        "duration_s": job.duration_s,
        "size_bytes": job.size_bytes,
        "cached": job.is_cached,
        "error": None if job.error is None else ErrorShape.model_validate(job.error),
        "timings": dict(job.performance),
    }
