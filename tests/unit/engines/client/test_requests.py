"""The app's side of the engine: each request gets its answer, and what hosts tell is known."""

from __future__ import annotations

import threading

import pytest

from tests.running import until
from tests.unit.engines.requests import window_request
from tests.unit.engines.scripted_host import PATIENCE_S, REPLY, Office
from voice_transcriber.engines.client import HostCrash
from voice_transcriber.engines.gpu_policy import GpuState, GpuStatus
from voice_transcriber.engines.host_watch import Blame
from voice_transcriber.engines.protocol import ModelKey, error_to_message
from voice_transcriber.errors import EngineCrashed, ModelDamaged


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
