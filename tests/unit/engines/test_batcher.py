"""Which windows share a batch, and which batch goes first."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count
from typing import Any

import pytest
from hypothesis import given, strategies

from tests.unit.engines.requests import window_request
from voice_transcriber.engines.batcher import PATIENCE_BATCHES, Batcher, Waiting, batch_key
from voice_transcriber.job import SAMPLE_RATE, Priority


class Room:
    """A batcher that is filled by describing windows; ids are 1, 2, 3 ..."""

    def __init__(self, *windows: dict[str, Any], batch_size: int = 8) -> None:
        self.batcher = Batcher()
        self.batch_size = batch_size
        self.ids = count(1)
        for changes in windows:
            self.add(changes)

    def add(self, changes: dict[str, Any]) -> None:
        self.batcher.add(Waiting(next(self.ids), window_request(**changes)))

    def take(self, loaded: Collection[str] = ("demo",)) -> list[int]:
        batch = self.batcher.take(
            is_loaded=lambda key: str(key) in loaded, batch_size=lambda _: self.batch_size
        )
        return [item.id for item in batch]

    def take_before(self, running: dict[str, Any]) -> list[int]:
        batch = self.batcher.take_before(
            window_request(**running), batch_size=lambda _: self.batch_size
        )
        return [item.id for item in batch]

    def take_joining(self, first: dict[str, Any], *, room: int = 8) -> list[int]:
        return [item.id for item in self.batcher.take_joining(window_request(**first), room=room)]


def speech(seconds: int) -> dict[str, Any]:
    return {"end": 30 * SAMPLE_RATE, "speech_end": seconds * SAMPLE_RATE}


HIGH, NORMAL, LOW = ({"priority": priority.value} for priority in Priority)


def test_an_empty_room_gives_an_empty_batch() -> None:
    assert Room().take() == []


def test_windows_of_different_jobs_share_a_batch() -> None:
    assert Room({"pcm": "one"}, {"pcm": "two"}).take() == [1, 2]


@pytest.mark.parametrize(
    "other",
    [
        {"model": "base"},
        {"engine": "faster-whisper"},
        {"checkpoint": "/elsewhere/demo.pt"},
        {"language": "de"},
        {"language": None},
        {"task": "translate"},
        {"prompt": "Names."},
        {"hotwords": "Ada, Grace"},
        {"beam_size": 1},
    ],
)
def test_windows_that_are_decoded_differently_do_not(other: dict[str, Any]) -> None:
    room = Room({}, other, {}, other)
    assert room.take() == [1, 3]
    assert room.take({"demo", "base", "demo (faster-whisper)"}) == [2, 4]


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


def test_a_model_is_loaded_for_the_engine_that_has_it() -> None:
    room = Room({"engine": "faster-whisper"}, {}, {"engine": "faster-whisper"})
    assert room.take({"demo"}) == [2]
    assert room.take({"demo"}) == [1, 3]


def test_a_suspect_goes_alone_when_its_turn_comes() -> None:
    room = Room({"alone": True}, {}, {"alone": True}, {})
    assert [room.take(), room.take(), room.take()] == [[1], [2, 4], [3]]


def test_files_take_turns() -> None:
    """A clip that comes after a long file does not wait for all of it."""
    long, clip = {"pcm": "long"}, {"pcm": "clip"}
    room = Room(long, long, long, clip, batch_size=2)
    assert [room.take(), room.take()] == [[1, 4], [2, 3]]


def test_a_file_that_was_just_served_lets_others_go_first() -> None:
    room = Room(*[{"pcm": "long"}] * 6, batch_size=2)
    assert room.take() == [1, 2]
    room.add({"pcm": "clip"})
    assert room.take() == [7, 3]


def test_a_batch_is_filled_with_the_nearest_in_length() -> None:
    seconds = [28, 5, 20, 27, 4, 29]
    room = Room(*map(speech, seconds), batch_size=3)
    assert [room.take(), room.take()] == [[1, 4, 6], [2, 5, 3]]


def test_a_long_window_that_may_wait_does_not_keep_an_urgent_clip() -> None:
    room = Room(speech(28) | LOW, speech(5) | HIGH, speech(9) | LOW)
    assert [room.take(), room.take()] == [[2, 3], [1]]


def test_a_long_window_that_is_as_urgent_fills_the_batch() -> None:
    assert Room(speech(5), speech(28)).take() == [1, 2]


def test_what_waited_for_too_long_goes_first() -> None:
    room = Room({"pcm": "slow", "language": "de"} | LOW)
    for number in range(PATIENCE_BATCHES):
        room.add({"pcm": f"{number}"} | HIGH)
        assert room.take() == [number + 2]
    room.add(HIGH)
    assert [room.take(), room.take()] == [[1], [PATIENCE_BATCHES + 2]]


kinds = strategies.fixed_dictionaries(
    {
        "pcm": strategies.sampled_from("abc"),
        "model": strategies.sampled_from(["demo", "base"]),
        "engine": strategies.sampled_from([None, "faster-whisper"]),
        "language": strategies.sampled_from(["en", "de"]),
        "priority": strategies.sampled_from([priority.value for priority in Priority]),
        "speech_end": strategies.integers(1, 30).map(lambda seconds: seconds * SAMPLE_RATE),
        "alone": strategies.booleans(),
    }
)


@given(windows=strategies.lists(kinds, max_size=30), batch_size=strategies.integers(1, 5))
def test_every_window_is_decoded_once_and_keys_are_never_mixed(
    windows: list[dict[str, Any]], batch_size: int
) -> None:
    room = Room(*windows, batch_size=batch_size)
    taken: list[int] = []
    while batch := room.take():
        requests = [window_request(**windows[number - 1]) for number in batch]
        assert len(batch) <= batch_size
        assert len({batch_key(request) for request in requests}) == 1
        assert len(batch) == 1 or not any(request.alone for request in requests)
        taken += batch
    assert sorted(taken) == list(range(1, len(windows) + 1))


@given(windows=strategies.lists(kinds, min_size=1, max_size=30))
def test_the_most_urgent_go_first(windows: list[dict[str, Any]]) -> None:
    room = Room(*windows, batch_size=3)
    left = dict(enumerate(windows, start=1))
    while batch := room.take():
        assert windows[batch[0] - 1]["priority"] == min(one["priority"] for one in left.values())
        for number in batch:
            del left[number]


@given(
    waiting=strategies.lists(kinds, min_size=1, max_size=6),
    coming=strategies.lists(kinds, min_size=1, max_size=4),
)
def test_nobody_waits_for_ever_while_others_keep_coming(
    waiting: list[dict[str, Any]], coming: list[dict[str, Any]]
) -> None:
    """However urgent the others are, and whatever models are loaded."""
    room = Room(*waiting, batch_size=2)
    left = set(range(1, len(waiting) + 1))
    for _ in range((len(waiting) + 1) * PATIENCE_BATCHES):
        for one in coming:
            room.add(one)
        left -= set(room.take())
    assert left == set()


def test_only_what_is_more_urgent_passes_a_batch_in_work() -> None:
    room = Room(NORMAL, HIGH, LOW, HIGH)
    assert room.take_before(NORMAL) == [2, 4]
    assert room.take_before(NORMAL) == []
    assert room.take() == [1, 3]


@pytest.mark.parametrize(
    "other",
    [
        {"model": "base"},
        {"engine": "faster-whisper"},
        {"checkpoint": "/elsewhere/demo.pt"},
        {"alone": True},
    ],
)
def test_what_needs_another_model_or_must_be_alone_does_not_pass(other: dict[str, Any]) -> None:
    assert Room(HIGH | other).take_before(LOW) == []


def test_what_passes_shares_a_batch_by_the_same_rules() -> None:
    assert Room(HIGH, HIGH | {"language": "de"}, HIGH, batch_size=8).take_before(LOW) == [1, 3]


def test_what_is_as_urgent_joins_a_batch_that_has_room() -> None:
    room = Room(NORMAL, LOW, NORMAL, NORMAL)
    assert room.take_joining(NORMAL, room=2) == [1, 3]
    assert room.take() == [4, 2]


@pytest.mark.parametrize(
    ("first", "waiting", "size"),
    [
        (NORMAL, NORMAL, 0),
        (NORMAL, NORMAL | {"language": "de"}, 8),
        (NORMAL, NORMAL | {"engine": "faster-whisper"}, 8),
        (NORMAL, NORMAL | {"alone": True}, 8),
        (NORMAL | {"alone": True}, NORMAL, 8),
        (NORMAL | speech(5), NORMAL | speech(20), 8),
    ],
    ids=[
        "a full batch",
        "another key",
        "another engine",
        "a suspect",
        "the batch of a suspect",
        "a longer window",
    ],
)
def test_what_does_not_join(first: dict[str, Any], waiting: dict[str, Any], size: int) -> None:
    assert Room(waiting).take_joining(first, room=size) == []


def test_nothing_joins_while_something_more_urgent_waits() -> None:
    assert Room(NORMAL, HIGH | {"model": "base"}).take_joining(NORMAL) == []


def test_a_cancelled_window_is_not_decoded() -> None:
    room = Room({}, {})
    room.batcher.drop([1, 99])
    assert (len(room.batcher), room.take()) == (1, [2])
