"""What is planned, waiting and done of one job, also after a restart."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.contract.makers import WINDOW_SAMPLES, chunk_of, segment_of, window_at
from voice_transcriber.job import Window, WindowStatus
from voice_transcriber.jobs.ledger import Ledger
from voice_transcriber.store.base import Plan

TEXT = (segment_of(" words"),)


def ledger(*windows: Window, **changes: Any) -> Ledger:
    """A ledger of one chunk with these windows."""
    values: dict[str, Any] = {"chunks": [chunk_of(2)], "windows": windows, "segments": {}}
    return Ledger(Plan(**values | changes))


def taken(found: Ledger, *, parallel: int = 1) -> Window | None:
    return found.take(parallel=parallel, may_go=lambda _window: True)


def in_work(found: Ledger, window: Window) -> Window:
    """The window, which must be the next one, taken."""
    assert taken(found) == window
    return window


def of_chunks(*numbers: int) -> Ledger:
    """A ledger of chunks with so many windows each."""
    chunks, windows = [], []
    for index, number in enumerate(numbers):
        first = len(windows)
        windows += [window_at(first + one, chunk_index=index) for one in range(number)]
        start, end = first * WINDOW_SAMPLES, (first + number) * WINDOW_SAMPLES
        chunks.append(replace(chunk_of(0, index=index), start_sample=start, end_sample=end))
    return Ledger(Plan(chunks=chunks, windows=windows, segments={}))


def test_a_new_job_has_nothing() -> None:
    empty = Ledger(Plan(chunks=(), windows=(), segments={}))
    assert (empty.planned_to, empty.unfinished, empty.text_tail()) == (0, [], "")
    assert taken(empty) is None


def test_after_a_restart_only_what_is_not_done_waits() -> None:
    found = ledger(
        window_at(0, status=WindowStatus.DONE),
        window_at(1),
        window_at(2, status=WindowStatus.FAILED),
        segments={0: TEXT},
    )
    assert list(found.waiting(0)) == [window_at(1)]
    assert found.segments == {0: TEXT}
    assert [one.start_sample for one in found.failed_windows] == [2 * WINDOW_SAMPLES]


def test_after_a_restart_a_window_that_crashed_alone_is_still_a_suspect() -> None:
    found = ledger(window_at(0, crashes=1), window_at(1))
    assert [found.is_suspect(one) for one in found.waiting(0)] == [True, False]


def test_a_chunk_adds_its_windows_and_moves_the_end_of_the_plan() -> None:
    found = Ledger(Plan(chunks=(), windows=(), segments={}))
    found.add_chunk(chunk_of(2), [window_at(0), window_at(1)])
    assert list(found.waiting(0)) == [window_at(0), window_at(1)]
    assert found.planned_to == 2 * WINDOW_SAMPLES


def test_a_part_of_a_recording_is_planned_and_counted_from_its_start() -> None:
    start = 10 * WINDOW_SAMPLES
    found = Ledger(Plan(chunks=(), windows=(), segments={}), start_sample=start)
    assert found.planned_to == start
    window = window_at(10)
    chunk = replace(chunk_of(0), start_sample=start, end_sample=start + WINDOW_SAMPLES)
    found.add_chunk(chunk, [window])
    found.finish(in_work(found, window), TEXT, None)
    assert found.percent(total_samples=2 * WINDOW_SAMPLES) == 50.0


def test_the_language_that_was_spoken_last_is_that_of_the_last_window() -> None:
    assert ledger().language_before(0) is None
    found = ledger(window_at(1, language="de"), window_at(0, language="en"))
    assert found.language_before(WINDOW_SAMPLES) == "en"
    assert found.language_before(9 * WINDOW_SAMPLES) == "de"


def test_a_finished_window_has_its_text_and_leaves_nothing() -> None:
    found = ledger(window_at(0))
    result = found.finish(in_work(found, window_at(0)), TEXT, None)
    assert (result.window, result.segments, result.follow_up) == (window_at(0), TEXT, None)
    assert not found.waiting(0)
    assert found.segments == {0: TEXT}
    assert found.percent(total_samples=2 * WINDOW_SAMPLES) == 100


def test_what_a_window_left_out_waits_as_a_window() -> None:
    found = ledger(window_at(0, crashes=2))
    result = found.finish(in_work(found, window_at(0, crashes=2)), TEXT, 16_000)
    (rest,) = found.waiting(0)
    assert result.follow_up == rest
    assert (rest.start_sample, rest.end_sample) == (16_000, WINDOW_SAMPLES)
    assert (rest.crashes, rest.status) == (0, WindowStatus.PENDING)
    assert not found.is_suspect(rest)


def test_a_suspect_goes_again_before_the_others() -> None:
    found = ledger(window_at(0), window_at(1))
    suspect = in_work(found, window_at(0))
    found.suspect(suspect)
    found.again(suspect)
    assert list(found.waiting(0)) == [window_at(0), window_at(1)]
    assert found.is_suspect(suspect)


def test_a_window_that_failed_for_good_waits_no_more() -> None:
    found = ledger(window_at(0), window_at(1))
    in_work(found, window_at(0))
    found.again(window_at(0, status=WindowStatus.FAILED, crashes=3))
    assert list(found.waiting(0)) == [window_at(1)]
    assert [one.crashes for one in found.failed_windows] == [3]
    assert found.percent(total_samples=2 * WINDOW_SAMPLES) == 50


def test_chunks_go_side_by_side_and_those_behind_them_wait() -> None:
    found = of_chunks(3, 3, 3)
    order = [taken(found, parallel=2) for _ in range(7)]
    assert [one and one.chunk_index for one in order] == [0, 1, 0, 1, 0, 1, None]
    for window in order[::2][:3]:
        assert window is not None
        found.finish(window, TEXT, None)
    assert found.unfinished == [1, 2]
    assert taken(found, parallel=2) == window_at(6, chunk_index=2)


def test_one_chunk_after_the_other() -> None:
    found = of_chunks(1, 1)
    first = in_work(found, window_at(0))
    assert taken(found) is None
    found.finish(first, TEXT, None)
    assert taken(found) == window_at(1, chunk_index=1)


def test_a_chunk_that_may_not_go_stops_no_other() -> None:
    found = of_chunks(1, 1)
    assert found.take(parallel=2, may_go=lambda one: one.chunk_index == 1) == window_at(
        1, chunk_index=1
    )


def test_a_chunk_that_is_given_up_loses_what_waits_and_keeps_what_is_in_work() -> None:
    found = of_chunks(3, 1)
    bad, good = in_work(found, window_at(0)), in_work(found, window_at(1))
    chunk = replace(found.chunks[0], failures=4, error="It failed.")
    found.give_up(chunk, [bad, *found.waiting(0)])
    assert [one.start_sample for one in found.failed_windows] == [0, 2 * WINDOW_SAMPLES]
    assert found.given_up == [chunk]
    assert found.unfinished == [0, 1]
    found.finish(good, TEXT, None)
    assert found.unfinished == [1]
    assert list(found.segments) == [WINDOW_SAMPLES]


def test_the_end_of_a_chunk_without_a_plan_is_open_until_it_is_given_up() -> None:
    found = of_chunks(1)
    start = WINDOW_SAMPLES
    chunk = replace(
        chunk_of(0, index=1), start_sample=start, end_sample=3 * start, is_planned=False
    )
    found.add_chunk(chunk, [])
    assert (found.planned_to, found.unplanned) == (start, chunk)
    found.add_chunk(replace(chunk, failures=4, error="It failed."), [])
    assert (found.planned_to, found.unplanned) == (3 * start, None)


@given(
    numbers=st.lists(st.integers(1, 6), min_size=1, max_size=6),
    parallel=st.integers(1, 5),
    in_flight=st.integers(1, 9),
    seed=st.integers(0, 1_000_000),
)
def test_whatever_ends_first_all_is_done_once_and_few_chunks_are_open(
    numbers: list[int], parallel: int, in_flight: int, seed: int
) -> None:
    found = of_chunks(*numbers)
    chooser = Random(seed)
    open_windows: list[Window] = []
    ended: list[int] = []
    while found.unfinished:
        while len(open_windows) < in_flight and (window := taken(found, parallel=parallel)):
            open_windows.append(window)
        assert len({one.chunk_index for one in open_windows}) <= parallel
        window = open_windows.pop(chooser.randrange(len(open_windows)))
        if chooser.random() < 0.2:
            found.again(window)
            continue
        found.finish(window, TEXT, None)
        ended.append(window.start_sample)
    assert sorted(ended) == [number * WINDOW_SAMPLES for number in range(sum(numbers))]
    assert sorted(found.segments) == sorted(ended)
