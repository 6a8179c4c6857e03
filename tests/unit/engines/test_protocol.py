"""What crosses to the engine and back is the same on both sides."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.unit.engines.requests import window_request
from voice_transcriber.engines.protocol import (
    LanguageReply,
    LanguageRequest,
    LoadReply,
    LoadRequest,
    Place,
    PlanReply,
    PlanRequest,
    Reply,
    Request,
    WindowReply,
    error_to_message,
    reply_from_message,
    reply_to_message,
    request_from_message,
    request_to_message,
)
from voice_transcriber.errors import EngineOutOfMemory, ModelDamaged, TranscriberError
from voice_transcriber.processes.channel import Message
from voice_transcriber.transcript.model import Segment, Word

PLAN = PlanRequest(pcm="a.pcm", start=5, limit=90, is_last=True, vad_filter=False, level=True)
LANGUAGE = LanguageRequest(
    pcm="a.pcm", model="demo", checkpoint="demo.pt", gain=1.5, windows=[(0, 10), (10, 20)]
)
LOAD = LoadRequest(model="demo", checkpoint="demo.pt", engine="faster-whisper")
WINDOW = window_request(language=None, prompt="Zoë, naïve", word_timestamps=True, alone=True)
SEGMENT = Segment(
    start_ms=20,
    end_ms=980,
    text=" Grüße.",
    tokens=(50364, 7, 50413),
    temperature=0.2,
    words=(Word(start_ms=20, end_ms=980, text=" Grüße.", probability=0.5),),
)

ANSWERS: list[tuple[Request, Reply]] = [
    (PLAN, PlanReply(end=90, gain=2.0, windows=[(5, 50, 40), (50, 90, 88)], stages_s={"vad": 0.1})),
    (PLAN, PlanReply(end=90, gain=1.0, windows=[])),
    (LANGUAGE, LanguageReply(votes=[{"de": 0.75, "en": 0.25}], stages_s={})),
    (WINDOW, WindowReply(segments=(SEGMENT,), resume_sample=12, stages_s={"decode": 1.5})),
    (WINDOW, WindowReply(segments=(), resume_sample=None)),
    (
        WINDOW,
        WindowReply(
            segments=(),
            resume_sample=None,
            place=Place(device="cuda", compute_type="float16", note="It is full.", engine="auto"),
        ),
    ),
    (LOAD, LoadReply(stages_s={"load": 2.5, "warm": 0.5})),
]


def sent(message: Message) -> Message:
    """As the other side reads it."""
    received: Message = json.loads(json.dumps(message))
    return received


@pytest.mark.parametrize("request_", [PLAN, LANGUAGE, WINDOW, LOAD], ids=lambda one: one.op)
def test_a_request_arrives_as_it_was_sent(request_: Request) -> None:
    message = sent(request_to_message(7, request_))
    arrived = request_from_message(message)
    assert message["id"] == 7
    assert type(arrived) is type(request_)
    assert sent(request_to_message(7, arrived)) == message


@pytest.mark.parametrize(("request_", "reply"), ANSWERS)
def test_a_reply_arrives_as_it_was_sent(request_: Request, reply: Reply) -> None:
    message = sent(reply_to_message(7, reply))
    assert message["id"] == 7
    assert reply_from_message(message, request_) == reply


@pytest.mark.parametrize("error", [ModelDamaged(), EngineOutOfMemory("Too large.", remedy="Less.")])
def test_an_error_arrives_with_its_class_message_and_remedy(error: TranscriberError) -> None:
    arrived = reply_from_message(sent(error_to_message(7, error)), WINDOW)
    assert isinstance(arrived, TranscriberError)
    assert type(arrived) is type(error)
    assert (arrived.message, arrived.remedy) == (error.message, error.remedy)


def all_errors(kind: type[TranscriberError] = TranscriberError) -> Iterator[type[TranscriberError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from all_errors(child)


@pytest.mark.parametrize("kind", list(all_errors()))
def test_every_error_of_the_program_can_cross(kind: type[TranscriberError]) -> None:
    arrived = reply_from_message(sent(error_to_message(1, kind())), PLAN)
    assert type(arrived) is kind
