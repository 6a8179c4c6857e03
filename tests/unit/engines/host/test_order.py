"""What passes a batch, what joins it, what waits for its end."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tests.recordings import tone, write_pcm
from tests.running import until
from tests.unit.engines.held_engine import HeldEngine, HeldModel
from tests.unit.engines.hosts import (
    OPTIONS,
    PATIENCE_S,
    question,
    short_plan,
    started,
    stop,
    transcribed,
    window,
)
from voice_transcriber.engines.client import Answer, EngineClient
from voice_transcriber.engines.protocol import (
    ON_CPU,
    LanguageReply,
    WindowReply,
    WindowRequest,
)
from voice_transcriber.engines.registry import ENGINES, EngineEntry
from voice_transcriber.job import SAMPLE_RATE, Priority


def test_a_plan_does_not_wait_for_a_batch_to_end(process: EngineClient, tmp_path: Path) -> None:
    """The window takes a second at least, the plan of a second of sound a few milliseconds."""
    path = str(write_pcm(tmp_path / "long.pcm", tone(100)))
    transcribed(process, window(path, end_s=1))
    came: queue.SimpleQueue[str] = queue.SimpleQueue()
    process.submit(window(path, end_s=100), lambda *_: came.put("window"))
    until(lambda: process.is_at_work)
    process.submit(short_plan(path), lambda *_: came.put("plan"))
    assert [came.get(timeout=PATIENCE_S) for _ in range(2)] == ["plan", "window"]


def long_batch(client: EngineClient, pcm: str, answers: list[str], **changes: Any) -> None:
    """Four windows of 19 seconds, submitted; returns while they are in work."""
    for number in range(4):
        client.submit(
            window(pcm, start_s=11, end_s=30, priority=Priority.LOW.value, **changes),
            lambda *_, number=number: answers.append(f"window {number}"),
        )
    until(lambda: client.is_at_work)


def test_an_urgent_window_passes_in_the_middle_of_a_batch(client: EngineClient, pcm: str) -> None:
    transcribed(client, window(pcm))  # the model is in memory
    answers: list[str] = []
    long_batch(client, pcm, answers)
    reply = transcribed(client, window(pcm, end_s=2, priority=Priority.HIGH.value))
    assert answers == []
    assert reply.segments[0].text == transcribed(client, window(pcm, end_s=2)).segments[0].text
    until(lambda: len(answers) == 4)


def test_its_language_is_told_in_the_middle_of_a_batch(client: EngineClient, pcm: str) -> None:
    transcribed(client, window(pcm))
    answers: list[str] = []
    long_batch(client, pcm, answers)
    request = question(pcm, windows=[(0, SAMPLE_RATE)])
    assert isinstance(client.call(request), LanguageReply)
    assert answers == []
    until(lambda: len(answers) == 4)


def test_a_question_that_must_be_alone_waits_for_the_end_of_the_batch(
    client: EngineClient, pcm: str
) -> None:
    transcribed(client, window(pcm))
    answers: list[str] = []
    long_batch(client, pcm, answers)
    assert isinstance(client.call(question(pcm, alone=True)), LanguageReply)
    assert len(answers) == 4


def test_a_window_that_is_not_more_urgent_waits(client: EngineClient, pcm: str) -> None:
    transcribed(client, window(pcm))
    answers: list[str] = []
    long_batch(client, pcm, answers)
    transcribed(client, window(pcm, end_s=2, priority=Priority.LOW.value))
    assert len(answers) == 4


def test_nothing_passes_a_window_that_must_be_alone(client: EngineClient, pcm: str) -> None:
    transcribed(client, window(pcm))
    answers: list[str] = []
    client.submit(
        window(pcm, start_s=11, end_s=30, priority=Priority.LOW.value, alone=True),
        lambda *_: answers.append("alone"),
    )
    until(lambda: client.is_at_work)
    transcribed(client, window(pcm, end_s=2, priority=Priority.HIGH.value))
    assert answers == ["alone"]


def test_a_clip_whose_language_was_asked_for_does_not_miss_the_next_batch(
    process: EngineClient, pcm: str, tmp_path: Path
) -> None:
    clip = str(write_pcm(tmp_path / "clip.pcm", tone(1)))
    came: queue.SimpleQueue[str] = queue.SimpleQueue()
    transcribed(process, window(clip, end_s=1))

    def ask_for_text(*_: object) -> None:
        process.submit(window(clip, end_s=1, priority=0), lambda *_: came.put("clip"))

    for number in range(3):  # each a batch of its own
        process.submit(window(pcm, prompt=f"long {number}"), lambda *_: came.put("long"))
    process.submit(question(clip), ask_for_text)
    assert [came.get(timeout=PATIENCE_S) for _ in range(4)].index("clip") <= 1


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> HeldModel:
    """The model of the engine "held"."""
    model = HeldModel()
    monkeypatch.setattr(HeldEngine, "model", model)
    entry = replace(ENGINES["fake"], engine="tests.unit.engines.held_engine:HeldEngine")
    monkeypatch.setitem(cast(dict[str, EngineEntry], ENGINES), "held", entry)
    return model


@pytest.fixture
def holding(held: HeldModel) -> Iterator[EngineClient]:
    options = replace(OPTIONS, engine="held")
    client = EngineClient(lambda: started(options, place=ON_CPU, free_bytes=10**12))
    yield client
    stop(client)


def send_while_encoding(
    client: EngineClient, model: HeldModel, pcm: str, *later: WindowRequest
) -> None:
    """A window, and others while it is encoded; returns when all are answered."""
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    client.submit(window(pcm), lambda _, answer: answers.put(answer))
    assert model.encoding.wait(PATIENCE_S)
    for request in later:
        client.submit(request, lambda _, answer: answers.put(answer))
    client.call(short_plan(pcm))  # it was read after the windows
    model.may_go_on.set()
    for _ in range(1 + len(later)):
        assert isinstance(answers.get(timeout=PATIENCE_S), WindowReply)


def test_windows_that_come_while_a_batch_is_encoded_join_it(
    holding: EngineClient, held: HeldModel, pcm: str
) -> None:
    seconds = range(OPTIONS.batch_size)
    later = [window(pcm, start_s=second, end_s=second + 1) for second in seconds]
    send_while_encoding(holding, held, pcm, *later)
    assert held.batches == [OPTIONS.batch_size, 1]


def test_an_urgent_window_passes_while_a_batch_is_encoded(
    holding: EngineClient, held: HeldModel, pcm: str
) -> None:
    urgent = window(pcm, end_s=2, language="de", priority=Priority.HIGH.value)
    send_while_encoding(holding, held, pcm, window(pcm, end_s=1), urgent)
    assert held.batches == [1, 2]


def test_a_cancelled_window_is_not_worked_on(client: EngineClient, pcm: str) -> None:
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    ids = [
        client.submit(window(pcm, prompt=f"{number}"), lambda _, answer: answers.put(answer))
        for number in range(50)  # five seconds of work
    ]
    client.cancel(ids[:-1])
    assert isinstance(answers.get(timeout=PATIENCE_S), WindowReply)
    assert answers.empty()
