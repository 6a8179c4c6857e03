"""What a request was to blame for when its host died."""

from __future__ import annotations

import pytest

from tests.unit.engines.scripted_host import REPLY, Office
from voice_transcriber.engines.host_watch import Blame
from voice_transcriber.processes.channel import Channel, Message


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


def test_a_host_that_dies_in_the_middle_of_a_message_is_dead(office: Office) -> None:
    (one,) = office.submit()
    office.host.work_on(one)
    own: Channel = office.host._own
    own._writer.write(b"\0\0\0\x09{")
    office.host.die()
    assert office.blames(count=1) == {one: Blame.ALONE}
    assert office.host.was_killed.is_set()


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
