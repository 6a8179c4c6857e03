"""Which windows share a batch, and which batch goes first."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from tests.unit.engines.requests import window_request
from voice_transcriber.engines.batcher import Batcher, Waiting
from voice_transcriber.job import Priority


class Room:
    """A batcher that is filled by describing windows; ids are 1, 2, 3 ..."""

    def __init__(self, *windows: dict[str, Any], batch_size: int = 8) -> None:
        self.batcher = Batcher(batch_size=batch_size)
        for number, changes in enumerate(windows, start=1):
            self.batcher.add(Waiting(number, window_request(**changes)))

    def take(self, loaded: Collection[str] = ("demo",)) -> list[int]:
        return [item.id for item in self.batcher.take(is_loaded=loaded.__contains__)]


HIGH, NORMAL, LOW = ({"priority": priority.value} for priority in Priority)


def test_an_empty_room_gives_an_empty_batch() -> None:
    assert Room().take() == []


def test_windows_of_different_jobs_share_a_batch() -> None:
    assert Room({"pcm": "one"}, {"pcm": "two"}).take() == [1, 2]


@pytest.mark.parametrize(
    "other",
    [
        {"model": "base"},
        {"checkpoint": "/elsewhere/demo.pt"},
        {"language": "de"},
        {"language": None},
        {"task": "translate"},
        {"prompt": "Names."},
        {"hotwords": "Ada, Grace"},
    ],
)
def test_windows_that_are_decoded_differently_do_not(other: dict[str, Any]) -> None:
    room = Room({}, other, {}, other)
    assert room.take() == [1, 3]
    assert room.take({"demo", "base"}) == [2, 4]


@pytest.mark.parametrize("other", [{"gain": 2.0}, {"word_timestamps": True}])
def test_what_the_decoder_does_not_see_separates_nobody(other: dict[str, Any]) -> None:
    assert Room({}, other).take() == [1, 2]


def test_a_batch_is_no_larger_than_is_set() -> None:
    room = Room({}, {}, {}, batch_size=2)
    assert [room.take(), room.take(), room.take()] == [[1, 2], [3], []]


def test_the_most_urgent_window_goes_first_and_takes_the_less_urgent_along() -> None:
    room = Room(LOW, NORMAL, HIGH, batch_size=2)
    assert [room.take(), room.take()] == [[3, 2], [1]]


def test_urgency_counts_more_than_a_loaded_model() -> None:
    assert Room(NORMAL, {"model": "base", **HIGH}).take({"demo"}) == [2]


def test_among_equally_urgent_windows_those_of_a_loaded_model_go_first() -> None:
    room = Room({"model": "base"}, {}, {"model": "base"})
    assert [room.take({"demo"}), room.take({"demo"})] == [[2], [1, 3]]


def test_a_suspect_goes_alone_when_its_turn_comes() -> None:
    room = Room({"alone": True}, {}, {"alone": True}, {})
    assert [room.take(), room.take(), room.take()] == [[1], [2, 4], [3]]


def test_files_take_turns() -> None:
    """A clip that comes after a long file does not wait for all of it."""
    long, clip = {"pcm": "long"}, {"pcm": "clip"}
    room = Room(long, long, long, clip, batch_size=2)
    assert [room.take(), room.take()] == [[1, 4], [2, 3]]


def test_a_cancelled_window_is_not_decoded() -> None:
    room = Room({}, {})
    room.batcher.drop([1, 99])
    assert (len(room.batcher), room.take()) == (1, [2])
