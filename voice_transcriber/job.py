"""The job and its parts: frozen records, made at the border and changed by a copy."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Literal, get_args

SAMPLE_RATE = 16_000  # samples a second of all prepared audio, mono
MAX_WINDOW = 30 * SAMPLE_RATE  # what a model hears at a time
MAX_GAP = 5 * SAMPLE_RATE  # longer silence separates windows

EngineName = Literal["openai-whisper", "faster-whisper"]  # that a job may name
ENGINE_NAMES: tuple[EngineName, ...] = get_args(EngineName)


def search_key(text: str) -> str:
    """Equal for texts that differ in case or in how accents are composed."""
    return unicodedata.normalize("NFC", text.casefold())


class JobStatus(StrEnum):
    """Where a job is in its life; a change is always a conditional update."""

    QUEUED = "queued"  # accepted and durable, waits for a worker
    RUNNING = "running"  # claimed by the attempt that `owner` and `attempt` name
    COMPLETED = "completed"  # has its one transcript
    FAILED = "failed"  # ended with `error`; the finished windows are kept
    CANCELLED = "cancelled"  # ended by the user


TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.RUNNING: frozenset(
        {JobStatus.QUEUED, JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED}
    ),
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset({JobStatus.QUEUED}),
    JobStatus.CANCELLED: frozenset({JobStatus.QUEUED}),
}

LIVE_STATUSES = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})


class Priority(IntEnum):
    """Strict order: a lower number goes first."""

    HIGH = 0
    NORMAL = 1
    LOW = 2


class Stage(StrEnum):
    """What a running job is doing now."""

    WAITING = "waiting"
    DOWNLOADING_MODEL = "downloading_model"
    DECODING = "decoding"
    LOADING_MODEL = "loading_model"
    TRANSCRIBING = "transcribing"
    FINISHING = "finishing"


class Lane(StrEnum):
    """Which jobs a worker may claim."""

    MAIN = "main"  # any job
    EXPRESS = "express"  # short clips, and jobs more urgent than every running one


@dataclass(frozen=True, kw_only=True)
class TranscribeOptions:
    """What the user asks for; part of every batch key."""

    model: str  # a name of engines.published.CHECKPOINTS, demo, or a file in WHISPER_MODEL_DIR
    language: str | None = None  # a code of transcript.languages, or "multi"; None detects it
    task: str = "transcribe"  # "transcribe", or "translate" to English
    prompt: str | None = None  # text that might have come before
    hotwords: str | None = None  # names and words that are likely to occur, commas between them
    word_timestamps: bool = False
    vad_filter: bool = True  # False decodes every second, speech or not
    from_s: float = 0.0  # only this stretch of the recording is transcribed;
    to_s: float | None = None  # times stay those of the file
    audio_track: int | None = None  # from 0, among the sound tracks; None: the first one
    engine: str | None = None  # one of ENGINE_NAMES; None: the installation's
    use_cache: bool = True  # False: computed anew, whatever is known of the recording


@dataclass(frozen=True, kw_only=True)
class JobError:
    """Why a job failed, as the user reads it."""

    code: str
    message: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """A job that is about to be accepted; its blob is durable already."""

    id: str
    filename: str  # the user's name for the file: data only, never a path
    blob_sha256: str
    size_bytes: int
    options: TranscribeOptions
    priority: Priority = Priority.NORMAL
    run_at: float = 0.0  # no worker takes it before this time
    submitter: str | None = None  # who is to have only so many waiting; None: this machine


@dataclass(frozen=True, kw_only=True)
class Job:
    """One row of the store's table `jobs`. Times are Unix seconds, UTC."""

    id: str
    seq: int  # order of acceptance
    revision: int  # grows with every change of any job
    status: JobStatus
    filename: str
    blob_sha256: str
    size_bytes: int
    options: TranscribeOptions
    priority: Priority
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None
    queued_at: float = 0.0  # when a user last put it into the queue
    run_at: float = 0.0  # not claimed before this time (retry backoff)
    waits_for: str | None = None  # a sentence, where a queued job waits for more than its turn
    owner: str | None = None  # boot id of the process that runs it
    attempt: int = 0  # fencing token: grows with every claim
    failures: int = 0  # engine errors so far; decides the backoff
    cancel_requested: bool = False
    duration_s: float | None = None
    language: str | None = None  # given or detected
    language_probability: float | None = None
    stage: Stage = Stage.WAITING
    stage_percent: float | None = None  # of a model download or a decode
    percent: float = 0.0  # of the audio
    text_tail: str = ""  # the newest words, for lists
    ends_at: float | None = None  # when a running job will probably be done
    error: JobError | None = None
    performance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        return self.status in LIVE_STATUSES

    @property
    def is_cached(self) -> bool:
        """Its text was known before, from an earlier job."""
        return bool(self.performance.get("cached"))

    def remaining_s(self, *, now: float) -> float | None:
        """Seconds until it will probably be done; None when that is not known, or has passed."""
        if self.status is not JobStatus.RUNNING or self.cancel_requested or self.ends_at is None:
            return None
        return self.ends_at - now if self.ends_at > now else None


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Proof that one attempt owns a job; every write of a running job carries it."""

    job_id: str
    attempt: int
    owner: str


class WindowStatus(StrEnum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"  # killed the engine three times while it ran alone, or its chunk was given up


class ChunkStatus(StrEnum):
    """Derived from the chunk and its windows; never stored."""

    WAITING = "waiting"
    PLANNING = "planning"  # its speech is looked for
    TRANSCRIBING = "transcribing"
    DONE = "done"
    FAILED = "failed"  # a part of it has no text


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A stretch of at most AUDIO_CHUNK_SIZE seconds that is worked on by itself. Samples at 16 kHz.

    While it has no plan its speech is looked for, and `end_sample` is provisional, unless it was
    given up.
    """

    index: int
    start_sample: int
    end_sample: int
    language: str | None  # decided before the first decode; None when no speech was heard yet
    gain: float = 1.0  # factor that levels quiet audio
    is_planned: bool = True  # its windows are known
    failures: int = 0  # engine errors so far; decides the backoff
    error: str | None = None  # why it was given up: what is missing of it stays so

    @property
    def attempt(self) -> int:
        """Which try at it this is, from 1."""
        return self.failures + (self.error is None)


@dataclass(frozen=True, kw_only=True)
class Window:
    """At most 30 s that are decoded in one piece. Samples count from the start of the file."""

    chunk_index: int
    start_sample: int  # with the job, the window's identity
    end_sample: int
    speech_end_sample: int  # where the last speech in it ends
    status: WindowStatus = WindowStatus.PENDING
    crashes: int = 0  # engine deaths while this window ran alone
    language: str | None = None  # its own, where the recording has several; else the chunk's

    @property
    def length_s(self) -> float:
        return (self.end_sample - self.start_sample) / SAMPLE_RATE
