"""A model whose loading takes many steps: the app hears of each, and urgent work shortens it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, cast

import pytest

from tests.recordings import tone, write_pcm
from tests.unit.engines.hosts import OPTIONS, PATIENCE_S, started, window
from voice_transcriber.engines.fake import FakeModel
from voice_transcriber.engines.protocol import (
    ON_CPU,
    PlanRequest,
    WindowRequest,
    request_to_message,
)
from voice_transcriber.engines.registry import ENGINES, EngineEntry
from voice_transcriber.job import SAMPLE_RATE, Priority
from voice_transcriber.processes.channel import Channel

STEPS = 3


class ManySteps:
    """Its first step ends when a test lets it; then it notes whether something urgent waits."""

    go_on: ClassVar[threading.Event]
    answers: ClassVar[list[bool]]

    def on_step(self, is_urgent: Callable[[], bool]) -> None:
        self._is_urgent = is_urgent

    def load(self, checkpoint: Path, *, size: str, device: str, compute_type: str) -> FakeModel:
        for _ in range(STEPS):
            assert self.go_on.wait(PATIENCE_S)
            self.answers.append(self._is_urgent())
        return FakeModel()


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Channel]:
    entry = replace(ENGINES["fake"], engine=f"{__name__}:ManySteps")
    monkeypatch.setitem(cast(dict[str, EngineEntry], ENGINES), "many-steps", entry)
    monkeypatch.setattr(ManySteps, "go_on", threading.Event(), raising=False)
    monkeypatch.setattr(ManySteps, "answers", [], raising=False)
    host = started(replace(OPTIONS, engine="many-steps"), place=ON_CPU, free_bytes=10**12)
    yield host.channel
    host.channel.close()
    deque(host.channel.messages(), maxlen=0)  # until it ends


@pytest.fixture
def pcm(tmp_path: Path) -> str:
    return str(write_pcm(tmp_path / "audio.pcm", tone(1)))


@pytest.mark.parametrize("second", list(Priority))
def test_each_step_is_told_and_asks_for_urgent_work(
    channel: Channel, pcm: str, second: Priority
) -> None:
    messages = channel.messages()
    channel.send(request_to_message(1, with_priority(pcm, Priority.NORMAL)))
    while next(messages).get("event") != "loading":
        pass
    channel.send(request_to_message(2, with_priority(pcm, second)))
    channel.send(request_to_message(3, plan(pcm)))
    while next(messages).get("id") != 3:  # what came before it has arrived too
        pass
    ManySteps.go_on.set()
    told, answered = 0, set[int]()
    while len(answered) < 2:
        message = next(messages)
        told += message.get("event") == "loading"
        answered |= {message["id"]} if "id" in message else set()
    assert told == STEPS
    assert ManySteps.answers[-1] is (second is Priority.HIGH)


def with_priority(pcm: str, priority: Priority) -> WindowRequest:
    return replace(window(pcm), priority=priority)


def plan(pcm: str) -> PlanRequest:
    return PlanRequest(
        pcm=pcm, start=0, limit=SAMPLE_RATE, is_last=True, vad_filter=True, level=False
    )
