"""Seconds by stage: what is spent in an inner stage is told once."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from voice_transcriber.engines.stopwatch import Stopwatch, inner_stage


@dataclass
class Clock:
    """Moved by hand."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_seconds_of_a_stage_add_up(clock: Clock) -> None:
    watch = Stopwatch(clock)
    for seconds in (1.5, 2.0):
        with watch.stage("text"):
            clock.now += seconds
    watch.add({"text": 0.5, "vad": 1.0})
    assert watch.stages_s == {"text": 4.0, "vad": 1.0}


def test_an_inner_stage_is_taken_from_the_outer_one(clock: Clock) -> None:
    watch = Stopwatch(clock)
    with watch.stage("encode"):
        clock.now += 1
        with inner_stage("features"):
            clock.now += 2
            with inner_stage("reading"):
                clock.now += 4
        clock.now += 8
    assert watch.stages_s == {"encode": 9.0, "features": 2.0, "reading": 4.0}


def test_a_stage_that_fails_has_taken_its_time(clock: Clock) -> None:
    watch = Stopwatch(clock)

    def fail() -> None:
        with watch.stage("text"):
            clock.now += 3
            raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"):
        fail()
    assert watch.stages_s == {"text": 3.0}


def test_an_inner_stage_of_no_stage_is_not_noted(clock: Clock) -> None:
    with inner_stage("features"):
        clock.now += 1


def test_stages_of_other_threads_and_watches_are_apart(clock: Clock) -> None:
    watch, other = Stopwatch(clock), Stopwatch(clock)

    def elsewhere() -> None:
        with inner_stage("features"):
            clock.now += 2

    with watch.stage("encode"):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        with other.stage("vad"):
            clock.now += 4
    assert watch.stages_s == {"encode": 6.0}
    assert other.stages_s == {"vad": 4.0}
