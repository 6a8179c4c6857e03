"""Hosts that hang, or hold too much memory, are ended; those that are only slow are not."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.running import until
from tests.unit.engines.scripted_host import LIMITS, REPLY, Office, ScriptedHost
from voice_transcriber.engines import client as client_module
from voice_transcriber.engines.client import HostCrash
from voice_transcriber.engines.host_watch import Blame
from voice_transcriber.errors import EngineStalled


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
