"""How many windows are decoded together: memory and measured speed decide."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, strategies

from voice_transcriber.engines.batch_sizes import (
    AUTO_FIRST,
    GROW_AFTER,
    LONGEST_GROW_AFTER,
    MEASURED_BATCHES,
    BatchSizes,
    first_batch_size,
)
from voice_transcriber.job import SAMPLE_RATE

LONG, CLIP = 28 * SAMPLE_RATE, 5 * SAMPLE_RATE


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


def run(sizes: BatchSizes, *, batches: int, windows_per_s: float, speech: int = LONG) -> int:
    """Full batches, one after the other; the size after them."""
    for _ in range(batches):
        windows = sizes.size("base", speech)
        sizes.ran("base", speech=speech, windows=windows, took_s=windows / windows_per_s)
    return sizes.size("base", speech)


def test_a_given_number_is_used_from_the_first_batch() -> None:
    assert BatchSizes(first=8, most=8).size("base", LONG) == 8


def test_auto_begins_with_a_size_that_suits_a_cpu() -> None:
    assert (first_batch_size("auto"), first_batch_size(3)) == (AUTO_FIRST, 3)


def test_a_larger_batch_is_tried_and_kept_where_it_is_faster() -> None:
    sizes = BatchSizes(first=8, most=64)
    assert run(sizes, batches=MEASURED_BATCHES, windows_per_s=10) == 16
    assert run(sizes, batches=MEASURED_BATCHES, windows_per_s=15) == 32


def test_where_speed_stops_rising_it_grows_no_further() -> None:
    sizes = BatchSizes(first=8, most=64)
    run(sizes, batches=MEASURED_BATCHES, windows_per_s=10)
    assert run(sizes, batches=MEASURED_BATCHES, windows_per_s=10.2) == 8
    assert run(sizes, batches=200, windows_per_s=10) == 8


def test_a_batch_that_other_programs_slow_down_decides_nothing() -> None:
    sizes = BatchSizes(first=8, most=64)
    run(sizes, batches=MEASURED_BATCHES, windows_per_s=10)
    run(sizes, batches=MEASURED_BATCHES - 1, windows_per_s=2)
    assert run(sizes, batches=1, windows_per_s=15) == 32


def test_a_batch_that_is_not_full_tells_nothing() -> None:
    sizes = BatchSizes(first=8, most=64)
    for _ in range(100):
        sizes.ran("base", speech=LONG, windows=7, took_s=1.0)
    assert sizes.size("base", LONG) == 8


def test_clips_and_long_windows_are_measured_apart() -> None:
    sizes = BatchSizes(first=8, most=16)
    run(sizes, batches=MEASURED_BATCHES, windows_per_s=10)
    assert (sizes.size("base", LONG), sizes.size("base", CLIP)) == (16, 8)


def test_memory_that_does_not_suffice_halves_the_batch_and_is_remembered() -> None:
    sizes = BatchSizes(first=8, most=8)
    sizes.size("base", LONG)
    assert sizes.ran_out("base", windows=8) == 4
    assert (sizes.size("base", LONG), sizes.size("small", LONG)) == (4, 8)
    assert sizes.limited_to("base") == 4
    assert sizes.limited_to("small") is None


def test_it_grows_back_after_good_batches() -> None:
    sizes = BatchSizes(first=8, most=8)
    run(sizes, batches=1, windows_per_s=10)
    sizes.ran_out("base", windows=8)
    assert run(sizes, batches=GROW_AFTER - 1, windows_per_s=5) == 4
    assert run(sizes, batches=1, windows_per_s=5) == 8
    assert sizes.limited_to("base") is None


def test_the_oftener_memory_runs_out_the_longer_until_the_next_try() -> None:
    sizes = BatchSizes(first=8, most=8)
    tries = []
    for _ in range(8):
        sizes.size("base", LONG)
        sizes.ran_out("base", windows=8)
        batches = 0
        while run(sizes, batches=1, windows_per_s=5) < 8:
            batches += 1
        tries.append(batches + 1)
    assert tries[:3] == [GROW_AFTER, 2 * GROW_AFTER, 4 * GROW_AFTER]
    assert tries[-1] == LONGEST_GROW_AFTER


def test_memory_that_is_known_to_be_short_caps_the_size_while_it_is() -> None:
    sizes = BatchSizes(first=8, most=64)
    sizes.set_room("base", 3)
    assert (sizes.size("base", LONG), sizes.limited_to("base")) == (3, 3)
    sizes.set_room("base", 0)
    assert sizes.size("base", LONG) == 1
    sizes.set_room("base", 40)
    assert (sizes.size("base", LONG), sizes.limited_to("base")) == (8, None)


def test_what_was_learnt_in_one_place_does_not_hold_in_another() -> None:
    sizes = BatchSizes(first=8, most=8)
    sizes.size("base", LONG)
    sizes.ran_out("base", windows=8)
    sizes.set_room("base", 2)
    sizes.forget("base")
    assert sizes.size("base", LONG) == 8


events = strategies.one_of(
    strategies.tuples(strategies.just("ran"), strategies.floats(0.1, 100)),
    strategies.tuples(strategies.just("out"), strategies.just(0.0)),
    strategies.tuples(strategies.just("room"), strategies.integers(0, 100).map(float)),
)


@given(
    first=strategies.integers(1, 64),
    most=strategies.integers(1, 64),
    happened=strategies.lists(events, max_size=200),
)
def test_the_size_is_always_between_one_and_the_most(
    first: int, most: int, happened: list[tuple[str, float]]
) -> None:
    sizes = BatchSizes(first=first, most=most)
    for what, figure in happened:
        size = sizes.size("base", LONG)
        assert 1 <= size <= most
        if what == "ran":
            sizes.ran("base", speech=LONG, windows=size, took_s=size / figure)
        elif what == "room":
            sizes.set_room("base", int(figure))
        elif size > 1:
            assert sizes.ran_out("base", windows=size) == size // 2
            assert sizes.size("base", LONG) <= size // 2
