"""What the app and the engine's loop say to each other, as records on both sides.

Requests carry an id and get exactly one reply with that id, an error included.
Audio never travels: a request names the PCM file and a range of samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple, Self

from voice_transcriber.errors import TranscriberError, error_from_code
from voice_transcriber.job import Priority
from voice_transcriber.processes.channel import Message
from voice_transcriber.transcript.model import Segment


class ModelKey(NamedTuple):
    """A model as one engine has it: two engines that have the same one hold it twice."""

    model: str
    engine: str | None = None  # None: the host's own

    def __str__(self) -> str:
        return f"{self.model} ({self.engine})" if self.engine else self.model


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a model computes on."""

    device: str  # "cpu" or "cuda"
    compute_type: str  # one that engines.compute names
    note: str | None = None  # why it is not the GPU that is wanted
    engine: str | None = None  # what computes there
    encoder: str | None = None  # where it was chosen


ON_CPU = Place(device="cpu", compute_type="float32")
ON_GPU = Place(device="cuda", compute_type="float16")


def on_cpu_because(fault: str, cpu: Place = ON_CPU) -> Place:
    """The CPU in place of a GPU; `fault` is a sentence."""
    reason = fault.rstrip(".")
    return replace(cpu, note=f"The GPU could not be used: {reason}. The CPU was used.")


@dataclass(frozen=True, kw_only=True)
class NeedsModel:
    """What a request tells of the model that is needed for it."""

    model: str
    checkpoint: str
    engine: str | None = None  # None: the host's own

    @property
    def key(self) -> ModelKey:
        return ModelKey(self.model, self.engine)


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """Cut the next chunk and find its windows. Answered with PlanReply."""

    op = "plan"
    pcm: str
    start: int  # first sample of the chunk
    limit: int  # the chunk ends here at the latest
    is_last: bool  # the file ends at `limit`: no cut to look for
    vad_filter: bool
    level: bool  # raise quiet audio
    by_language: bool = False  # short windows, each of which may have a language of its own
    priority: int = Priority.NORMAL.value
    alone: bool = False  # no batch in work beside it: it is suspected of a crash


@dataclass(frozen=True, kw_only=True)
class LanguageRequest(NeedsModel):
    """How likely is each language, for each of a few windows. Answered with LanguageReply."""

    op = "language"
    pcm: str
    gain: float
    windows: Sequence[tuple[int, int]]  # sample ranges
    alone: bool = False  # nothing in work beside it: it is suspected of a crash


@dataclass(frozen=True, kw_only=True)
class WindowRequest(NeedsModel):
    """Transcribe one window. Answered with WindowReply."""

    op = "window"
    pcm: str
    gain: float
    start: int
    end: int
    speech_end: int
    vad_filter: bool  # False: there may be speech after `speech_end` too
    language: str | None
    task: str
    prompt: str | None
    hotwords: str | None
    word_timestamps: bool
    priority: int
    beam_size: int = 5
    alone: bool = False  # not in a batch with others: it is suspected of a crash

    @property
    def speech_samples(self) -> int:
        """Until its speech ends: the decoder's steps follow them."""
        return self.speech_end - self.start


@dataclass(frozen=True, kw_only=True)
class LoadRequest(NeedsModel):
    """Bring a model into memory and warm it. Answered with LoadReply."""

    op = "load"


@dataclass(frozen=True, kw_only=True)
class PlanReply:
    end: int  # the chunk's end
    gain: float
    windows: Sequence[tuple[int, int, int]]  # start, end, end of speech
    stages_s: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_message(cls, message: Message) -> Self:
        windows = [(start, end, speech_end) for start, end, speech_end in message["windows"]]
        return cls(
            end=message["end"],
            gain=message["gain"],
            windows=windows,
            stages_s=message["stages_s"],
        )


@dataclass(frozen=True, kw_only=True)
class LanguageReply:
    votes: Sequence[Mapping[str, float]]  # for each window the probabilities by code
    measured: bool = True  # False: a language was named, without a probability, or none was
    stages_s: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_message(cls, message: Message) -> Self:
        return cls(votes=message["votes"], stages_s=message["stages_s"])


@dataclass(frozen=True, kw_only=True)
class WindowReply:
    segments: Sequence[Segment]  # times in the file
    resume_sample: int | None  # where the left-out rest begins
    stages_s: Mapping[str, float] = field(default_factory=dict)
    place: Place | None = None  # where it was computed

    @classmethod
    def from_message(cls, message: Message) -> Self:
        return cls(
            segments=tuple(Segment.from_dict(segment) for segment in message["segments"]),
            resume_sample=message["resume_sample"],
            stages_s=message["stages_s"],
            place=Place(**message["place"]) if message["place"] else None,
        )

    def with_stages(self, stages_s: Mapping[str, float]) -> Self:
        """The same, and these seconds added."""
        names = {*self.stages_s, *stages_s}
        return replace(
            self,
            stages_s={
                name: self.stages_s.get(name, 0.0) + stages_s.get(name, 0.0) for name in names
            },
        )


@dataclass(frozen=True, kw_only=True)
class LoadReply:
    stages_s: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_message(cls, message: Message) -> Self:
        return cls(stages_s=message["stages_s"])


Request = PlanRequest | LanguageRequest | WindowRequest | LoadRequest
Reply = PlanReply | LanguageReply | WindowReply | LoadReply

_REQUESTS: Mapping[str, type[Request]] = {
    kind.op: kind for kind in (PlanRequest, LanguageRequest, WindowRequest, LoadRequest)
}
_REPLIES: Mapping[str, type[Reply]] = {
    PlanRequest.op: PlanReply,
    LanguageRequest.op: LanguageReply,
    WindowRequest.op: WindowReply,
    LoadRequest.op: LoadReply,
}


def request_to_message(request_id: int, request: Request) -> Message:
    return {"id": request_id, "op": request.op, **asdict(request)}


def request_from_message(message: Message) -> Request:
    fields = {name: value for name, value in message.items() if name not in {"id", "op"}}
    return _REQUESTS[message["op"]](**fields)


def reply_to_message(request_id: int, reply: Reply) -> Message:
    return {"id": request_id, **asdict(reply)}


def error_to_message(request_id: int, error: TranscriberError) -> Message:
    return {
        "id": request_id,
        "error": {"code": error.code, "message": error.message, "remedy": error.remedy},
    }


def reply_from_message(message: Message, request: Request) -> Reply | TranscriberError:
    if error := message.get("error"):
        return error_from_code(error["code"], error["message"], error["remedy"])
    return _REPLIES[request.op].from_message(message)


@dataclass(frozen=True, kw_only=True)
class HostOptions:
    """How the engine's loop is set up; crosses to the child as JSON."""

    engine: str
    threads: int
    batch_size: int
    model_cache_size: int
    use_gpu: bool
    free_memory_early: bool
    gpu_expected: bool = False  # a GPU that is not there is worth a note
    compute_type: str = "auto"  # else one that engines.compute names
    encoder: str = "auto"  # else one that engines.encoders.installed names
    thread_counts: Sequence[int] = ()  # for the engine auto to choose from
    model_dir: str | None = None  # takes what the engine makes of checkpoints
    gpu_batch_size: int | None = None  # most on a GPU; None: as on the CPU
    gpu_memory_threshold: float = 0.9  # part of a GPU's memory that all programs may use

    def to_message(self) -> dict[str, Any]:
        return asdict(self)

    def with_engine(self, engine: str | None) -> Self:
        """As they hold for a job that names its engine."""
        return replace(self, engine=engine) if engine else self
