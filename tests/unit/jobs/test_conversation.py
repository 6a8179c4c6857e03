"""What becomes of a job's request when the engine dies while it is in work."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import cast

import pytest

from tests.running import until
from tests.unit.engines.scripted_host import ScriptedHost
from voice_transcriber.engines.client import EngineClient
from voice_transcriber.engines.protocol import (
    LanguageReply,
    LanguageRequest,
    PlanReply,
    PlanRequest,
    reply_to_message,
)
from voice_transcriber.errors import EngineCrashed
from voice_transcriber.jobs.conversation import Conversation

PLAN = PlanRequest(
    pcm="audio.pcm", start=0, limit=16_000, is_last=True, vad_filter=True, level=True
)
QUESTION = LanguageRequest(
    pcm="audio.pcm", model="demo", checkpoint="demo.pt", gain=1.0, windows=[(0, 16_000)]
)
REPLY = PlanReply(end=16_000, gain=1.0, windows=[])
PATIENCE_S = 20.0


class Talk:
    """A conversation with an engine whose hosts say what the test makes them say."""

    def __init__(self) -> None:
        self.hosts: list[ScriptedHost] = []
        self.client = EngineClient(self._start)
        self.conversation = Conversation(self.client)
        self.plans: list[PlanReply] = []

    def _start(self) -> ScriptedHost:
        self.hosts.append(ScriptedHost())
        return self.hosts[-1]

    def ask(self) -> None:
        self.conversation.ask(PLAN, self.plans.append)

    def heard(self) -> tuple[int, bool]:
        """The id of what the newest host was asked for, and whether it goes alone."""
        message = self.hosts[-1].heard.get(timeout=PATIENCE_S)
        return cast(int, message["id"]), cast(bool, message["alone"])

    def die_at(self, *ids: int, beside: int | None = None) -> None:
        host = self.hosts[-1]
        host.work_on(*ids, lane="plans")
        if beside is not None:
            host.work_on(beside)
        host.die()


@pytest.fixture
def talk(caplog: pytest.LogCaptureFixture) -> Iterator[Talk]:
    caplog.set_level(logging.CRITICAL)
    talk = Talk()
    yield talk
    talk.client.stop()
    until(lambda: not talk.client.is_running)


def test_a_plan_that_was_beside_a_batch_is_asked_for_again_alone(talk: Talk) -> None:
    talk.ask()
    request_id, alone = talk.heard()
    assert not alone
    talk.die_at(request_id, beside=99)
    talk.conversation.receive(timeout_s=PATIENCE_S)
    request_id, alone = talk.heard()
    assert alone
    talk.hosts[-1].say(reply_to_message(request_id, REPLY))
    talk.conversation.receive(timeout_s=PATIENCE_S)
    assert [plan.end for plan in talk.plans] == [16_000]


def test_a_question_for_the_language_beside_a_plan_is_asked_again_alone(talk: Talk) -> None:
    replies: list[LanguageReply] = []
    talk.conversation.ask(QUESTION, replies.append)
    request_id, alone = talk.heard()
    assert not alone
    talk.die_at(99, beside=request_id)
    talk.conversation.receive(timeout_s=PATIENCE_S)
    request_id, alone = talk.heard()
    assert alone
    reply = LanguageReply(votes=[{"de": 0.9}])
    talk.hosts[-1].say(reply_to_message(request_id, reply))
    talk.conversation.receive(timeout_s=PATIENCE_S)
    assert replies == [reply]


def test_a_plan_that_ends_the_engine_alone_is_an_error_of_its_job(talk: Talk) -> None:
    talk.ask()
    request_id, _ = talk.heard()
    talk.die_at(request_id)
    with pytest.raises(EngineCrashed):
        talk.conversation.receive(timeout_s=PATIENCE_S)


def test_what_waited_for_an_engine_that_died_at_its_start_goes_to_the_next_one_once(
    talk: Talk,
) -> None:
    talk.ask()
    talk.heard()
    talk.hosts[-1].die()
    talk.conversation.receive(timeout_s=PATIENCE_S)
    talk.heard()
    assert len(talk.hosts) == 2
    talk.hosts[-1].die()
    with pytest.raises(EngineCrashed):
        talk.conversation.receive(timeout_s=PATIENCE_S)


def test_what_is_abandoned_is_heard_of_no_more(talk: Talk) -> None:
    talk.ask()
    request_id, _ = talk.heard()
    talk.hosts[-1].work_on(request_id)
    until(lambda: talk.client.is_at_work)
    talk.conversation.abandon()
    assert talk.hosts[-1].was_killed.is_set()
    talk.conversation.receive(timeout_s=0.1)
    assert talk.plans == []
