"""What the native API takes, validated by the models that its document shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from voice_transcriber.errors import InvalidRequest
from voice_transcriber.job import (
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
