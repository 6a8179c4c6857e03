"""The local engine in the place of a server; its hosts say what the test makes them say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.running import until
from tests.unit.engines.requests import window_request
from tests.unit.engines.scripted_host import ScriptedHost
from voice_transcriber.engines.checkpoints import Checkpoints
from voice_transcriber.engines.client import EngineClient
from voice_transcriber.engines.protocol import (
    ON_CPU,
    PlanReply,
    PlanRequest,
    Reply,
    WindowReply,
    reply_to_message,
)
from voice_transcriber.engines.remote.takeover import FORGOTTEN_AFTER_S, AudioRequest, LocalTakeover
from voice_transcriber.errors import EngineCrashed, RemoteUnreachable
from voice_transcriber.job import SAMPLE_RATE
from voice_transcriber.processes.channel import Message

PATIENCE_S = 20.0
OTHER = 99  # the id of a request that is not this recording's
LENGTH = 10 * SAMPLE_RATE
WINDOW = window_request()
WINDOW_WITH_SILENCE = window_request(speech_end=9 * SAMPLE_RATE)
PLAN = PlanRequest(pcm=WINDOW.pcm, start=0, limit=LENGTH, is_last=True, vad_filter=True, level=True)
PLANNED = PlanReply(end=LENGTH, gain=1.0, windows=[(0, LENGTH, LENGTH)])
TEXT = WindowReply(segments=(), resume_sample=None)


class Desk:
    """A recording that was taken over, and the hosts of the local engine."""

    def __init__(self, model_dir: Path, pool: ThreadPoolExecutor) -> None:
        self.hosts: list[ScriptedHost] = []
        self.now_s = 0.0
        self.client = EngineClient(self._start)
        self.takeover = LocalTakeover(
            self.client, Checkpoints(model_dir), level_audio=True, clock=lambda: self.now_s
        )
        self.takeover.take(WINDOW.pcm, RemoteUnreachable("It is away."))
        self._pool = pool

    def _start(self) -> ScriptedHost:
        self.hosts.append(ScriptedHost())
        return self.hosts[-1]

    def ask(self, request: AudioRequest) -> Future[Reply]:
        return self._pool.submit(lambda: asyncio.run(self.takeover.answer(request)))

    def heard(self, *, hosts: int = 1) -> Message:
        """What the newest host was asked, when so many were started."""
        until(lambda: len(self.hosts) == hosts)
        return self.hosts[-1].heard.get(timeout=PATIENCE_S)

    def reply(self, asked: Message, reply: Reply) -> None:
        self.hosts[-1].say(reply_to_message(asked["id"], reply))

    def die_at(self, *ids: int) -> None:
        self.hosts[-1].work_on(*ids)
        self.hosts[-1].die()


@pytest.fixture
def desk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Desk]:
    caplog.set_level(logging.CRITICAL)
    with ThreadPoolExecutor() as pool:
        desk = Desk(tmp_path, pool)
        yield desk
        desk.takeover.stop()
        until(lambda: not desk.client.is_running)


@pytest.mark.parametrize("is_suspect", [False, True])
def test_what_did_not_end_the_engine_for_certain_is_asked_again(
    desk: Desk, is_suspect: bool
) -> None:
    answer = desk.ask(WINDOW_WITH_SILENCE)
    asked = desk.heard()
    desk.die_at(OTHER, *([asked["id"]] if is_suspect else []))
    again = desk.heard(hosts=2)
    assert again["alone"] is is_suspect
    desk.reply(again, TEXT)
    assert answer.result(PATIENCE_S) == TEXT


def test_what_ends_the_engine_alone_is_an_error(desk: Desk) -> None:
    answer = desk.ask(WINDOW_WITH_SILENCE)
    desk.die_at(desk.heard()["id"])
    with pytest.raises(EngineCrashed):
        answer.result(PATIENCE_S)


def test_a_window_that_was_planned_for_the_server_is_planned_anew(desk: Desk) -> None:
    answer = desk.ask(WINDOW)
    asked = desk.heard()
    assert (asked["op"], asked["limit"], asked["level"]) == ("plan", LENGTH, True)
    desk.reply(asked, PLANNED)
    desk.reply(desk.heard(), TEXT)
    assert answer.result(PATIENCE_S) == TEXT


def test_the_place_tells_why_it_is_this_one(desk: Desk) -> None:
    answer = desk.ask(WINDOW)
    desk.reply(desk.heard(), PLANNED)
    desk.reply(desk.heard(), replace(TEXT, place=ON_CPU))
    reply = answer.result(PATIENCE_S)
    assert isinstance(reply, WindowReply)
    assert reply.place == replace(ON_CPU, note="It is away. The local engine took over.")


def test_continuous_speech_that_was_planned_here_is_not_planned_anew(desk: Desk) -> None:
    plan = desk.ask(PLAN)
    desk.reply(desk.heard(), PLANNED)
    assert plan.result(PATIENCE_S) == PLANNED
    answer = desk.ask(WINDOW)
    asked = desk.heard()
    assert asked["op"] == "window"
    desk.reply(asked, TEXT)
    assert answer.result(PATIENCE_S) == TEXT
    assert desk.takeover.chunks == 1


def test_a_recording_is_known_while_it_is_worked_on_and_for_a_time_after(desk: Desk) -> None:
    answer = desk.ask(WINDOW_WITH_SILENCE)
    asked = desk.heard()
    desk.now_s = 2 * FORGOTTEN_AFTER_S
    assert desk.takeover.has(WINDOW.pcm)
    desk.now_s = 4 * FORGOTTEN_AFTER_S
    desk.reply(asked, TEXT)
    answer.result(PATIENCE_S)
    desk.now_s = 5 * FORGOTTEN_AFTER_S
    assert desk.takeover.has(WINDOW.pcm)
    desk.now_s = 7 * FORGOTTEN_AFTER_S
    assert not desk.takeover.has(WINDOW.pcm)
