"""The app's side of the engine: what a request was to blame for, and how hosts are replaced.

The host of these tests is real in its channel and says what the test makes it say.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator

import pytest

from tests.running import until
from tests.unit.engines.requests import window_request
from voice_transcriber.engines.client import Answer, Blame, EngineClient, HostCrash
from voice_transcriber.engines.gpu_policy import GpuState, GpuStatus
from voice_transcriber.engines.protocol import (
    WindowReply,
    error_to_message,
    reply_to_message,
)
from voice_transcriber.errors import EngineCrashed, ModelDamaged
from voice_transcriber.processes.channel import Channel, Message, channel_pair

PATIENCE_S = 20.0
REPLY = WindowReply(segments=(), resume_sample=None)


class ScriptedHost:
    """A host that reads its requests into a queue and answers nothing by itself."""

    pid = None

    def __init__(self) -> None:
        self.channel, self._own = channel_pair()
        self.heard: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.was_killed = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def say(self, *messages: Message) -> None:
        for message in messages:
            self._own.send(message)

    def work_on(self, *ids: int, lane: str = "windows") -> None:
        self.say({"event": "batch", "lane": lane, "ids": list(ids)})

    def answer(self, *ids: int) -> None:
        self.say(*(reply_to_message(one, REPLY) for one in ids))

    def die(self) -> None:
        self._own.close()

    def kill(self) -> None:
        self.was_killed.set()
        self.die()

    def cause_of_death(self) -> str:
        return "the script ended"

    def _listen(self) -> None:
        for message in self._own.messages():
            self.heard.put(message)


class Office:
    """A client, the hosts that it started, and the answers that came."""

    def __init__(self) -> None:
        self.hosts: list[ScriptedHost] = []
        self.now_s = 0.0
        self.client = EngineClient(self._start, clock=lambda: self.now_s)
        self._answers: queue.SimpleQueue[tuple[int, Answer]] = queue.SimpleQueue()

    def _start(self) -> ScriptedHost:
        self.hosts.append(ScriptedHost())
        return self.hosts[-1]

    @property
    def host(self) -> ScriptedHost:
        return self.hosts[-1]

    def submit(self, *, count: int = 1) -> list[int]:
        return [
            self.client.submit(window_request(), lambda *answer: self._answers.put(answer))
            for _ in range(count)
        ]

    def next(self) -> tuple[int, Answer]:
        return self._answers.get(timeout=PATIENCE_S)

    def blames(self, *, count: int) -> dict[int, Blame]:
        answers = dict(self.next() for _ in range(count))
        return {one: found.blame for one, found in answers.items() if isinstance(found, HostCrash)}

    @property
    def has_answers(self) -> bool:
        return not self._answers.empty()


@pytest.fixture
def office(caplog: pytest.LogCaptureFixture) -> Iterator[Office]:
    caplog.set_level(logging.CRITICAL)  # the deaths of hosts are told
    office = Office()
    yield office
    office.client.stop()
    if office.hosts:
        until(lambda: not office.client.is_running)


def test_no_host_is_started_before_it_is_needed(office: Office) -> None:
    assert (office.client.starts, office.client.is_running) == (0, False)
    office.submit(count=2)
    assert (office.client.starts, office.client.is_running) == (1, True)


def test_each_answer_goes_to_its_own_request(office: Office) -> None:
    first, second = office.submit(count=2)
    office.host.answer(second, first)
    assert [office.next(), office.next()] == [(second, REPLY), (first, REPLY)]


def test_an_error_is_an_answer(office: Office) -> None:
    (one,) = office.submit()
    office.host.say(error_to_message(one, ModelDamaged("It is cut off.")))
    _, answer = office.next()
    assert isinstance(answer, ModelDamaged)
    assert answer.message == "It is cut off."


def test_a_call_waits_for_its_answer(office: Office) -> None:
    def answer() -> None:
        until(lambda: office.hosts)
        office.host.answer(office.host.heard.get(timeout=PATIENCE_S)["id"])

    threading.Thread(target=answer).start()
    assert office.client.call(window_request()) == REPLY


def test_a_cancelled_request_is_withdrawn_and_its_answer_is_dropped(office: Office) -> None:
    first, second = office.submit(count=2)
    office.client.cancel([first])
    heard = [office.host.heard.get(timeout=PATIENCE_S) for _ in range(3)]
    assert heard[-1] == {"op": "cancel", "ids": [first]}
    office.host.answer(first, second)
    assert office.next() == (second, REPLY)
    assert not office.has_answers


def test_a_host_that_dies_before_it_spoke_is_to_blame_itself(office: Office) -> None:
    (one,) = office.submit()
    office.host.die()
    assert office.blames(count=1) == {one: Blame.HOST}


def test_what_was_in_work_is_blamed_and_what_waited_is_not(office: Office) -> None:
    first, second, waiting = office.submit(count=3)
    office.host.work_on(first, second)
    office.host.die()
    blames = office.blames(count=3)
    assert blames == {first: Blame.BATCH, second: Blame.BATCH, waiting: Blame.NONE}


def test_what_was_in_work_alone_is_blamed_alone(office: Office) -> None:
    first, waiting = office.submit(count=2)
    office.host.work_on(first)
    office.host.die()
    assert office.blames(count=2) == {first: Blame.ALONE, waiting: Blame.NONE}


def test_the_last_of_a_batch_was_not_alone(office: Office) -> None:
    first, second = office.submit(count=2)
    office.host.work_on(first, second)
    office.host.answer(first)
    office.host.die()
    assert office.next() == (first, REPLY)
    assert office.blames(count=1) == {second: Blame.BATCH}


def test_what_was_in_work_beside_a_plan_was_not_alone(office: Office) -> None:
    plan, window = office.submit(count=2)
    office.host.work_on(plan, lane="plans")
    office.host.work_on(window)
    office.host.die()
    assert office.blames(count=2) == {plan: Blame.BATCH, window: Blame.BATCH}


def test_a_plan_that_was_answered_is_not_suspected(office: Office) -> None:
    plan, window = office.submit(count=2)
    office.host.work_on(plan, lane="plans")
    office.host.work_on(window)
    office.host.answer(plan)
    office.next()
    office.host.die()
    assert office.blames(count=1) == {window: Blame.ALONE}


def test_a_cancelled_companion_makes_nobody_alone(office: Office) -> None:
    first, second = office.submit(count=2)
    office.host.work_on(first, second)
    office.client.cancel([first])
    office.host.die()
    assert office.blames(count=1) == {second: Blame.BATCH}


def test_the_host_is_to_blame_when_it_dies_while_it_loads_a_model(office: Office) -> None:
    (one,) = office.submit()
    office.host.work_on(one)
    office.host.say({"event": "loading", "model": "large"})
    office.host.die()
    assert office.blames(count=1) == {one: Blame.HOST}


def test_a_plan_beside_the_loading_of_a_model_is_as_suspect_as_that(office: Office) -> None:
    plan, window = office.submit(count=2)
    office.host.work_on(plan, lane="plans")
    office.host.work_on(window)
    office.host.say({"event": "loading", "model": "large"})
    office.host.die()
    assert office.blames(count=2) == {plan: Blame.BATCH, window: Blame.BATCH}


def test_what_is_in_memory_and_what_is_loaded_now_can_be_asked(office: Office) -> None:
    office.submit()
    office.host.say({"event": "loading", "model": "base"})
    until(lambda: office.client.loading == "base")
    office.host.say({"event": "models", "names": ["base"]})
    until(lambda: office.client.models == ["base"])
    assert office.client.loading is None


def test_a_gpus_free_memory_is_known_while_the_host_lives(office: Office) -> None:
    office.submit()
    office.host.say({"event": "models", "names": [], "gpu_free_bytes": 5_000})
    until(lambda: office.client.gpu_free_bytes == 5_000)
    office.host.die()
    office.next()
    assert office.client.gpu_free_bytes is None


def test_what_is_computed_on_is_known_while_the_host_lives(office: Office) -> None:
    office.submit()
    gpu = {"state": "gpu-small-batch", "reason": "Room for 2.", "since": 5.0}
    office.host.say({"event": "models", "names": [], "gpu": gpu, "batch_size": 2})
    until(lambda: office.client.batch_size == 2)
    until(lambda: office.client.gpu)
    assert office.client.gpu == GpuStatus(
        state=GpuState.SMALL_BATCH, reason="Room for 2.", since=5.0
    )
    office.host.die()
    office.next()
    assert office.client.gpu is None


def test_the_next_request_gets_a_new_host_with_an_empty_memory(office: Office) -> None:
    office.submit()
    office.host.say({"event": "models", "names": ["base"]})
    until(lambda: office.client.models)
    office.host.die()
    office.next()
    assert (office.client.is_running, office.client.models) == (False, [])
    (one,) = office.submit()
    office.host.answer(one)
    assert office.next() == (one, REPLY)
    assert office.client.starts == 2


def test_a_request_can_be_repeated_from_the_callback_that_hears_of_the_death(
    office: Office,
) -> None:
    again: list[int] = []
    office.client.submit(window_request(), lambda *_: again.extend(office.submit()))
    office.host.die()
    until(lambda: again)
    office.host.answer(*again)
    assert office.next() == (again[0], REPLY)


def test_a_host_that_dies_in_the_middle_of_a_message_is_dead(office: Office) -> None:
    (one,) = office.submit()
    office.host.work_on(one)
    own: Channel = office.host._own
    own._writer.write(b"\0\0\0\x09{")
    office.host.die()
    assert office.blames(count=1) == {one: Blame.ALONE}
    assert office.host.was_killed.is_set()


def test_a_host_that_owes_an_answer_and_is_silent_is_killed(office: Office) -> None:
    (one,) = office.submit()
    assert not office.client.kill_if_silent(limit_s=1000)
    assert office.client.kill_if_silent(limit_s=0)
    assert office.blames(count=1) == {one: Blame.HOST}


def test_plans_that_are_answered_do_not_hide_a_batch_that_hangs(office: Office) -> None:
    window, plan = office.submit(count=2)
    office.host.work_on(window)
    until(lambda: office.client.is_at_work)
    office.now_s = 10
    office.host.work_on(plan, lane="plans")
    office.host.answer(plan)
    office.next()
    assert not office.client.kill_if_silent(limit_s=11)
    assert office.client.kill_if_silent(limit_s=10)
    assert office.blames(count=1) == {window: Blame.ALONE}


def test_urgent_windows_that_pass_show_that_a_batch_does_not_hang(office: Office) -> None:
    window, urgent = office.submit(count=2)
    office.host.work_on(window)
    until(lambda: office.client.is_at_work)
    office.now_s = 10
    office.host.work_on(urgent, lane="urgent")
    office.host.answer(urgent)
    office.next()
    assert not office.client.kill_if_silent(limit_s=1)


def test_a_host_that_owes_nothing_may_be_silent(office: Office) -> None:
    (one,) = office.submit()
    office.host.answer(one)
    office.next()
    assert not office.client.kill_if_silent(limit_s=0)
    assert not office.host.was_killed.is_set()


def test_an_idle_host_is_told_to_let_go_of_models(office: Office) -> None:
    (one,) = office.submit()
    office.host.say({"event": "models", "names": ["base"]})
    until(lambda: office.client.models)
    office.client.unload_idle(idle_s=5)  # one is in work
    office.host.answer(one)
    office.next()
    office.client.unload_idle(idle_s=60)
    heard = [office.host.heard.get(timeout=PATIENCE_S) for _ in range(2)]
    assert heard[-1] == {"op": "unload", "idle_s": 60}


def test_a_stop_answers_what_is_pending_and_takes_no_more(office: Office) -> None:
    office.submit()
    office.client.stop()
    _, answer = office.next()
    assert isinstance(answer, HostCrash)
    with pytest.raises(EngineCrashed):
        office.submit()
