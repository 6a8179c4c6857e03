"""The shapes that the native API takes and gives; the same models validate and answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from voice_transcriber.errors import InvalidRequest
from voice_transcriber.job import Job, JobStatus, Priority, TranscribeOptions
from voice_transcriber.transcript.exporters.options import ExportOptions
from voice_transcriber.transcript.languages import language_code

MAX_PROMPT_CHARACTERS = 1_000
MAX_PAGE = 200
DEFAULT_PAGE = 50
MAX_EXPORT = 1_000  # jobs in one archive


def time_text(seconds: float | None) -> str | None:
    """RFC 3339 in UTC from Unix seconds."""
    if seconds is None:
        return None
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _none_if_blank(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _none_if_detected(value: Any) -> Any:
    if isinstance(value, str) and value.strip().lower() in {"", "auto"}:
        return None
    return value


class Request(BaseModel):
    """What a client sends; a name that is not ours is a mistake that we tell."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> Self:
        """Raises InvalidRequest, which names the field."""
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            name = ".".join(str(part) for part in first["loc"])
            message, remedy = _explanation(cls, name, first["type"], first["msg"])
            raise InvalidRequest(message, remedy=remedy) from error


def _explanation(kind: type[BaseModel], name: str, fault: str, text: str) -> tuple[str, str]:
    if fault == "extra_forbidden":
        known = ", ".join(field.alias or name for name, field in kind.model_fields.items())
        return f"There is no field {name[:60]!r}.", f"Leave it out, or use one of: {known}."
    return f"The field {name} is wrong: {text}.", f"Correct {name} and send the request again."


class SubmitForm(Request):
    """The fields beside the file."""

    model: Annotated[str | None, BeforeValidator(_none_if_blank)] = Field(None, max_length=200)
    language: Annotated[str | None, BeforeValidator(_none_if_detected)] = Field(
        None, max_length=200
    )
    task: Literal["transcribe", "translate"] = "transcribe"
    priority: Literal["high", "normal", "low"] = "normal"
    prompt: Annotated[str | None, BeforeValidator(_none_if_blank)] = Field(
        None, max_length=MAX_PROMPT_CHARACTERS
    )
    word_timestamps: bool = False
    vad_filter: bool = True

    def options(self, *, default_model: str) -> TranscribeOptions:
        """Raises UnknownLanguage. Whether the model exists is the caller's to check."""
        return TranscribeOptions(
            model=self.model or default_model,
            language=language_code(self.language) if self.language else None,
            task=self.task,
            prompt=self.prompt,
            word_timestamps=self.word_timestamps,
            vad_filter=self.vad_filter,
        )

    @property
    def job_priority(self) -> Priority:
        return Priority[self.priority.upper()]


class ListQuery(Request):
    """Which page of the list."""

    limit: int = Field(DEFAULT_PAGE, ge=1, le=MAX_PAGE)
    cursor: int | None = Field(None, ge=0)
    status: tuple[JobStatus, ...] = ()
    q: str = Field("", max_length=200)


class ChangesQuery(Request):
    """What the client knows already."""

    since: int = Field(ge=0)


class TranscriptQuery(Request):
    """How a transcript is rendered; ExportOptions says which values are right."""

    max_line_width: Annotated[int | None, BeforeValidator(_none_if_blank)] = None
    max_lines: Annotated[int | None, BeforeValidator(_none_if_blank)] = None
    max_cps: Annotated[float | None, BeforeValidator(_none_if_blank)] = None
    from_s: Annotated[float | None, BeforeValidator(_none_if_blank)] = Field(None, alias="from")
    to_s: Annotated[float | None, BeforeValidator(_none_if_blank)] = Field(None, alias="to")
    times: Annotated[bool | None, BeforeValidator(_none_if_blank)] = None

    def options(self) -> ExportOptions:
        """Raises InvalidRequest."""
        return ExportOptions(
            max_line_width=self.max_line_width,
            max_lines=self.max_lines,
            max_cps=self.max_cps,
            from_s=self.from_s,
            to_s=self.to_s,
            times=self.times,
        )


class ExportQuery(TranscriptQuery):
    """Which transcripts, in which formats."""

    ids: tuple[str, ...] = Field(min_length=1, max_length=MAX_EXPORT)
    formats: tuple[str, ...] = Field(min_length=1)


class Shape(BaseModel):
    """What the server answers."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    def json_value(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class ErrorShape(Shape):
    code: str
    message: str
    remedy: str


class ChunkShape(Shape):
    index: int
    status: str
    percent: float
    attempt: int


class SegmentShape(Shape):
    start: float  # seconds
    end: float
    text: str


class ModelShape(Shape):
    name: str
    label: str
    note: str
    present: bool
    size_bytes: int  # of the file, or of the download
    english_only: bool
    downloadable: bool


class JobShape(Shape):
    """A job as lists show it."""

    id: str
    status: JobStatus
    filename: str
    model: str
    language: str | None
    task: str
    priority: str
    created_at: str
    started_at: str | None
    finished_at: str | None
    queue_position: int | None  # from 1; null when it does not wait, or waits far behind
    percent: float
    eta_s: float | None
    stage: str
    stage_percent: float | None
    cancel_requested: bool
    attempt: int
    text_tail: str
    duration_s: float | None
    size_bytes: int
    cached: bool
    error: ErrorShape | None
    timings: dict[str, Any]

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
            chunks=[ChunkShape.model_validate(chunk) for chunk in detail.chunks],
            text_so_far="".join(segment.text for segment in detail.segments).strip(),
            segments=[
                SegmentShape(
                    start=segment.start_ms / 1000,
                    end=segment.end_ms / 1000,
                    text=segment.text.strip(),
                )
                for segment in detail.segments
            ],
        )


def _job_values(job: Job, queue_position: int | None) -> dict[str, Any]:
    return {
        "id": job.id,
        "status": job.status,
        "filename": job.filename,
        "model": job.options.model,
        "language": job.language or job.options.language,
        "task": job.options.task,
        "priority": job.priority.name.lower(),
        "created_at": time_text(job.created_at),
        "started_at": time_text(job.started_at),
        "finished_at": time_text(job.finished_at),
        "queue_position": queue_position,
        "percent": round(job.percent, 1),
        "eta_s": None,
        "stage": job.stage.value,
        "stage_percent": job.stage_percent,
        "cancel_requested": job.cancel_requested,
        "attempt": job.attempt,
        "text_tail": job.text_tail,
        "duration_s": job.duration_s,
        "size_bytes": job.size_bytes,
        "cached": False,
        "error": None if job.error is None else ErrorShape.model_validate(job.error),
        "timings": dict(job.performance),
    }
