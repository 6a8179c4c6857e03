"""The app's side of the engine: what a request was to blame for, and how hosts are replaced.

The host of these tests is real in its channel and says what the test makes it say.
"""

from __future__ import annotations

import logging
import queue
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.running import until
from tests.unit.engines.requests import window_request
from voice_transcriber.engines import client as client_module
from voice_transcriber.engines.client import (
    CRASHES_IN_A_ROW,
    TROUBLE_S,
    Answer,
    EngineClient,
    HostCrash,
)
from voice_transcriber.engines.gpu_policy import GpuState, GpuStatus
from voice_transcriber.engines.host_watch import Blame, Death, WatchLimits
from voice_transcriber.engines.protocol import (
    ModelKey,
    WindowReply,
    error_to_message,
    reply_to_message,
)
from voice_transcriber.errors import EngineCrashed, EngineStalled, ModelDamaged
from voice_transcriber.processes.channel import Channel, Message, channel_pair

PATIENCE_S = 20.0
LIMITS = WatchLimits()
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

    def death(self) -> Death:
        self.die()
        return Death(cause="the script ended")

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

    def beat(self, steps: int) -> None:
        """Heard by the client when this returns."""
        self.host.say({"event": "beat", "steps": steps})
        watch = self.client._watch
        until(lambda: (watch._steps, watch._beat_at) == (steps, self.now_s))

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
    office.host.say({"event": "models", "loaded": [["base", None], ["base", "faster-whisper"]]})
    until(lambda: office.client.models == [ModelKey("base"), ModelKey("base", "faster-whisper")])
    assert office.client.loading is None


def test_a_gpus_free_memory_is_known_while_the_host_lives(office: Office) -> None:
    office.submit()
    office.host.say({"event": "models", "loaded": [], "gpu_free_bytes": 5_000})
    until(lambda: office.client.gpu_free_bytes == 5_000)
    office.host.die()
    office.next()
    assert office.client.gpu_free_bytes is None


def test_what_is_computed_on_is_known_while_the_host_lives(office: Office) -> None:
    office.submit()
    gpu = {"state": "gpu-small-batch", "reason": "Room for 2.", "since": 5.0}
    office.host.say({"event": "models", "loaded": [], "gpu": gpu, "batch_size": 2})
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
    office.host.say({"event": "models", "loaded": [["base", None]]})
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


def test_a_host_that_makes_no_progress_is_replaced(office: Office) -> None:
    office.submit()
    office.now_s = LIMITS.no_progress_s - 1
    office.client.supervise()
    assert not office.host.was_killed.is_set()
    office.now_s += 1
    office.client.supervise()
    _, crash = office.next()
    assert isinstance(crash, HostCrash)
    assert (crash.blame, crash.kind) == (Blame.HOST, EngineStalled)
    error = crash.as_error()
    assert isinstance(error, EngineStalled)
    assert "no progress" in error.message
    assert "NO_PROGRESS_LIMIT" in error.remedy


def test_a_host_that_is_only_slow_is_left_alone(office: Office) -> None:
    (window,) = office.submit()
    office.host.work_on(window)
    for steps in range(1, 10):
        office.now_s += LIMITS.no_progress_s / 2
        office.beat(steps)
        office.client.supervise()
    assert not office.host.was_killed.is_set()


def test_beats_without_steps_are_no_progress(office: Office) -> None:
    (window,) = office.submit()
    office.host.work_on(window)
    until(lambda: office.client.is_at_work)
    office.now_s = LIMITS.no_progress_s
    office.beat(0)
    office.client.supervise()
    assert office.blames(count=1) == {window: Blame.ALONE}


def test_a_host_that_has_started_and_no_longer_beats_is_replaced(office: Office) -> None:
    (one,) = office.submit()
    office.host.answer(one)
    office.next()
    office.now_s = LIMITS.silent_s - 1
    office.client.supervise()
    assert not office.host.was_killed.is_set()
    office.now_s += 1
    office.client.supervise()
    until(lambda: not office.client.is_running)


def test_a_host_that_loads_a_model_may_miss_its_beats(office: Office) -> None:
    office.submit()
    office.host.say({"event": "loading", "model": "large"})
    until(lambda: office.client.loading)
    office.now_s = LIMITS.no_progress_s - 1
    office.client.supervise()
    assert not office.host.was_killed.is_set()


def test_a_host_whose_reader_has_died_is_replaced(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    office.client.submit(window_request(), lambda *_: sys.exit("it ends the reader"))
    first = office.host
    first.answer(first.heard.get(timeout=PATIENCE_S)["id"])
    until(lambda: not office.client.is_running)
    (one,) = office.submit()
    assert office.host is not first
    office.host.answer(one)
    assert office.next() == (one, REPLY)


def test_hosts_that_start_while_somebody_looks_after_them_are_left_alone(office: Office) -> None:
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            office.client.supervise()

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(200):
        (one,) = office.submit()
        office.host.answer(one)
        assert office.next() == (one, REPLY)
        office.host.die()
        until(lambda: not office.client.is_running)
    over.set()
    looking.join()
    assert not any(host.was_killed.is_set() for host in office.hosts)


def test_plans_that_are_answered_do_not_hide_a_batch_that_hangs(office: Office) -> None:
    window, plan = office.submit(count=2)
    office.host.work_on(window)
    until(lambda: office.client.is_at_work)
    office.now_s = 10
    office.host.work_on(plan, lane="plans")
    office.host.answer(plan)
    office.next()
    office.now_s = LIMITS.no_progress_s
    office.client.supervise()
    assert office.blames(count=1) == {window: Blame.ALONE}


def test_steps_of_a_batch_do_not_hide_a_plan_that_hangs(office: Office) -> None:
    plan, window = office.submit(count=2)
    office.host.work_on(plan, lane="plans")
    office.host.work_on(window)
    until(lambda: office.client._watch.works_on([window]))
    office.now_s = LIMITS.no_progress_s
    office.beat(1)
    office.client.supervise()
    assert office.blames(count=2) == {plan: Blame.BATCH, window: Blame.BATCH}


def test_urgent_windows_that_pass_show_that_a_batch_does_not_hang(office: Office) -> None:
    window, urgent = office.submit(count=2)
    office.host.work_on(window)
    until(lambda: office.client.is_at_work)
    office.now_s = LIMITS.no_progress_s
    office.host.work_on(urgent, lane="urgent")
    office.host.answer(urgent)
    office.next()
    office.client.supervise()
    assert not office.host.was_killed.is_set()


def test_a_host_that_owes_nothing_makes_no_progress(office: Office) -> None:
    (one,) = office.submit()
    office.host.answer(one)
    office.next()
    office.now_s = LIMITS.no_progress_s
    office.beat(0)
    office.client.supervise()
    assert not office.host.was_killed.is_set()


@pytest.mark.parametrize(
    "message",
    [
        {"id": 1},
        {"id": 1, "segments": [{}], "resume_sample": None, "stages_s": {}},
        {"id": 1, "error": {"code": "model_damaged"}},
        {"event": "batch"},
        {"event": "beat"},
        {"id": [1]},
    ],
)
def test_a_message_that_cannot_be_understood_is_the_end_of_its_host(
    message: Message, office: Office
) -> None:
    (one,) = office.submit()
    office.host.work_on(one)
    office.host.say(message)
    assert office.blames(count=1) == {one: Blame.ALONE}
    assert office.host.was_killed.is_set()
    (again,) = office.submit()
    office.host.answer(again)
    assert office.next() == (again, REPLY)


@pytest.mark.parametrize("body", [b"no json", b"[1]", b"\xff", b"[" * 100_000])
def test_what_is_no_message_is_the_end_of_its_host(body: bytes, office: Office) -> None:
    (one,) = office.submit()
    office.host.work_on(one)
    own: Channel = office.host._own
    own._writer.write(len(body).to_bytes(4, "big") + body)
    own._writer.flush()
    assert office.blames(count=1) == {one: Blame.ALONE}
    assert office.host.was_killed.is_set()


def test_a_request_whose_work_is_given_up_costs_the_others_nothing(office: Office) -> None:
    first, second = office.submit(count=2)
    office.host.work_on(first, second)
    until(lambda: office.client.is_at_work)
    office.client.abandon([first])
    assert office.blames(count=1) == {second: Blame.NONE}
    assert not office.has_answers


def test_a_request_that_waits_is_given_up_without_harm(office: Office) -> None:
    first, second = office.submit(count=2)
    office.host.work_on(first)
    until(lambda: office.client.is_at_work)
    office.client.abandon([second])
    office.host.answer(first)
    assert office.next() == (first, REPLY)
    assert not office.host.was_killed.is_set()


def test_a_call_is_repeated_when_its_host_was_replaced_for_other_reasons(office: Office) -> None:
    def serve() -> None:
        until(lambda: office.hosts)
        first = office.host
        first.heard.get(timeout=PATIENCE_S)
        first.work_on(99)
        until(lambda: office.client.is_at_work)
        first.die()
        until(lambda: office.host is not first)
        office.host.answer(office.host.heard.get(timeout=PATIENCE_S)["id"])

    threading.Thread(target=serve).start()
    assert office.client.call(window_request()) == REPLY


def test_an_engine_that_dies_again_and_again_is_a_problem_until_it_answers(
    office: Office,
) -> None:
    for _ in range(CRASHES_IN_A_ROW):
        assert office.client.problem is None
        office.submit()
        office.host.die()
        office.next()
    assert office.client.problem == (
        "The speech engine ended 5 times in a row without an answer: the script ended."
    )
    (one,) = office.submit()
    office.host.answer(one)
    office.next()
    assert office.client.problem is None


def test_old_deaths_are_no_problem(office: Office) -> None:
    for _ in range(CRASHES_IN_A_ROW):
        office.submit()
        office.host.die()
        office.next()
    office.now_s = TROUBLE_S + 1
    assert office.client.problem is None


def test_a_host_that_cannot_be_started_is_an_error_of_the_engine() -> None:
    def start() -> ScriptedHost:
        raise OSError("no process left")

    client = EngineClient(start)
    with pytest.raises(EngineCrashed, match="could not be started: no process left"):
        client.submit(window_request(), lambda *_: None)
    assert not client.is_running


def test_an_idle_host_is_told_to_let_go_of_models(office: Office) -> None:
    (one,) = office.submit()
    office.host.say({"event": "models", "loaded": [["base", None]]})
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


@pytest.fixture
def held(office: Office, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the host holds, and what happens while that is looked at."""
    held: dict[str, Any] = {"bytes": 0, "meanwhile": lambda: None}

    def look(_pid: int) -> int:
        held["meanwhile"]()
        return int(held["bytes"])

    monkeypatch.setattr(client_module, "own_memory_bytes", look)
    monkeypatch.setattr(client_module, "is_stopped", lambda _pid: False)
    monkeypatch.setattr(ScriptedHost, "pid", 1)
    office.client._memory_limit_bytes = 100
    return held


def test_a_warning_of_memory_goes_when_it_is_below_the_limit_again_and_with_its_host(
    office: Office, held: dict[str, Any]
) -> None:
    office.submit()
    office.client._relieved_at = 0.0  # a moment ago
    for recover in (lambda: held.update(bytes=1), office.host.die):
        held["bytes"] = 101
        office.client.supervise()
        assert office.client.warning
        recover()
        office.client.supervise()
        until(lambda: office.client.warning is None)


def test_a_host_is_not_asked_to_leave_for_the_memory_of_the_one_before_it(
    office: Office, held: dict[str, Any]
) -> None:
    def replace() -> None:
        office.host.die()
        until(lambda: not office.client.is_running)
        office.submit()

    office.submit()
    held.update(bytes=101, meanwhile=replace)
    office.client.supervise()
    assert len(office.hosts) == 2
    assert not office.client._watch.is_leaving
    assert office.client._watch.verdict is None
