"""The shapes that the native API takes and gives; the same models validate and answer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from voice_transcriber.errors import InvalidRequest
from voice_transcriber.job import (
    ChunkStatus,
    EngineName,
    Job,
    JobStatus,
    Priority,
    TranscribeOptions,
    search_key,
)
from voice_transcriber.transcript.exporters.options import ExportOptions
from voice_transcriber.transcript.languages import chosen_language
from voice_transcriber.transcript.times import seconds_of

MAX_PROMPT_CHARACTERS = 1_000
MAX_PAGE = 200
DEFAULT_PAGE = 50
MAX_EXPORT = 1_000  # jobs in one archive
MAX_TRACK = 1_000
MAX_SEQ = 2**63 - 1  # the largest number that the database knows
MAX_BULK = 1_000  # jobs in one bulk action

PriorityName = Literal["high", "normal", "low"]


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


def _seconds(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return seconds_of(value) if value.strip() else None


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
    text = text.removeprefix("Value error, ")
    return f"The field {name} is wrong: {text}.", f"Correct {name} and send the request again."


class SubmitForm(Request):
    """The fields beside the file."""

    upload: Annotated[str | None, BeforeValidator(_none_if_blank)] = Field(
        None,
        max_length=64,
        description="Id of a finished upload (/files), in place of a file; what is left out here "
        "is as its metadata said.",
    )
    model: Annotated[str | None, BeforeValidator(_none_if_blank)] = Field(
        None, max_length=200, description="A name of the list of models; DEFAULT_MODEL without."
    )
    language: Annotated[str | None, BeforeValidator(_none_if_detected)] = Field(
        None,
        max_length=200,
        description="A code or an English name; detected without. multi: of each part by itself.",
    )
    task: Literal["transcribe", "translate"] = Field(
        "transcribe", description="translate: the text is in English."
    )
    priority: PriorityName = "normal"
    prompt: Annotated[str | None, BeforeValidator(_none_if_blank)] = Field(
        None,
        max_length=MAX_PROMPT_CHARACTERS,
        description="Text that might have come before: its words and its style are expected.",
    )
    hotwords: Annotated[str | None, BeforeValidator(_none_if_blank)] = Field(
        None,
        max_length=MAX_PROMPT_CHARACTERS,
        description="Names and words that are likely to occur, commas between them.",
    )
    from_s: Annotated[float | None, BeforeValidator(_seconds)] = Field(
        None,
        alias="from",
        description="Only from here on: seconds, 1:30 or 1:02:03. Times stay those of the file.",
    )
    to_s: Annotated[float | None, BeforeValidator(_seconds)] = Field(
        None, alias="to", description="Only up to here; the end of the recording without."
    )
    audio_track: Annotated[int | None, BeforeValidator(_none_if_blank)] = Field(
        None,
        ge=0,
        le=MAX_TRACK,
        description="Which sound track, from 0; the first that can be read without.",
    )
    word_timestamps: bool = Field(False, description="Also the time of each word.")
    vad_filter: bool = Field(True, description="False: seconds without speech are decoded too.")
    engine: Annotated[EngineName | None, BeforeValidator(_none_if_blank)] = Field(
        None,
        description="What computes the text, for this job; ENGINE without.",
        examples=["faster-whisper"],
    )
    cache: bool = Field(
        True, description="False: computed anew, whatever is known of the recording."
    )

    def options(self, *, default_model: str) -> TranscribeOptions:
        """Raises UnknownLanguage. Whether the model exists is the caller's to check."""
        return TranscribeOptions(
            model=self.model or default_model,
            language=chosen_language(self.language) if self.language else None,
            task=self.task,
            prompt=self.prompt,
            hotwords=self.hotwords,
            from_s=self.from_s or 0.0,
            to_s=self.to_s,
            audio_track=self.audio_track,
            word_timestamps=self.word_timestamps,
            vad_filter=self.vad_filter,
            engine=self.engine,
            use_cache=self.cache,
        )

    @property
    def job_priority(self) -> Priority:
        return Priority[self.priority.upper()]


class Filter(Request):
    """Which jobs are asked for; all, without a value."""

    status: tuple[JobStatus, ...] = Field((), description="One or several; all without.")
    q: str = Field("", max_length=200, description="Part of the file name, case ignored.")

    def fits(self, job: Job) -> bool:
        """What the store's `page` says of the same values."""
        of_status = not self.status or job.status in self.status
        return of_status and search_key(self.q) in search_key(job.filename)


class ListQuery(Filter):
    """Which page of the list."""

    limit: int = Field(DEFAULT_PAGE, ge=1, le=MAX_PAGE)
    cursor: int | None = Field(
        None, ge=0, le=MAX_SEQ, description="`next_cursor` of the page before."
    )
    sha256: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="Of a file: only jobs of this recording, to find it before it is sent.",
    )


class ChangesQuery(Request):
    """What the client knows already."""

    since: int = Field(ge=0, description="`revision` of the answer before; 0 at first.")


class RowChangesQuery(ChangesQuery, Filter):
    """What a page knows already, and what it shows."""


class JobChange(Request):
    """What can be changed of a waiting job."""

    priority: PriorityName

    @property
    def job_priority(self) -> Priority:
        return Priority[self.priority.upper()]


class BulkRequest(Request):
    """One action for many jobs."""

    action: Literal["cancel", "retry", "delete"]
    ids: tuple[str, ...] = Field(min_length=1, max_length=MAX_BULK)


class TranscriptQuery(Request):
    """How a transcript is rendered; ExportOptions says which values are right."""

    max_line_width: Annotated[int | None, BeforeValidator(_none_if_blank)] = Field(
        None, description="Characters of the longest line."
    )
    max_lines: Annotated[int | None, BeforeValidator(_none_if_blank)] = Field(
        None, description="Lines of one cue; needs max_line_width."
    )
    max_cps: Annotated[float | None, BeforeValidator(_none_if_blank)] = Field(
        None, description="Characters that a viewer reads in a second."
    )
    from_s: Annotated[float | None, BeforeValidator(_none_if_blank)] = Field(
        None, alias="from", description="Seconds in the file; what ends before is left out."
    )
    to_s: Annotated[float | None, BeforeValidator(_none_if_blank)] = Field(
        None, alias="to", description="Seconds in the file; what starts then is left out."
    )
    times: Annotated[bool | None, BeforeValidator(_none_if_blank)] = Field(
        None, description="With or without times, in the formats that can do both."
    )

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

    ids: tuple[str, ...] = Field(
        min_length=1, max_length=MAX_EXPORT, description="Ids of completed jobs."
    )
    formats: tuple[str, ...] = Field(min_length=1, description="Such as txt and srt.")


class Shape(BaseModel):
    """What the server answers."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

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
    priority: str
    created_at: str = Field(examples=["2026-03-01T09:30:00.000Z"])
    started_at: str | None
    finished_at: str | None
    queue_position: int | None = Field(
        description="1 is next; null when it does not wait, or waits far behind."
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
        "priority": job.priority.name.lower(),
        "created_at": time_text(job.created_at),
        "started_at": time_text(job.started_at),
        "finished_at": time_text(job.finished_at),
        "queue_position": queue_position,
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
