"""The next request gets a new host when one has died; hosts that die on and on are a problem."""

from __future__ import annotations

import sys
import threading

import pytest

from tests.running import until
from tests.unit.engines.requests import window_request
from tests.unit.engines.scripted_host import PATIENCE_S, REPLY, Office, ScriptedHost
from voice_transcriber.engines.client import CRASHES_IN_A_ROW, TROUBLE_S, EngineClient
from voice_transcriber.errors import EngineCrashed


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
