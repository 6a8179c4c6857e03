"""How much of a job is done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract.makers import chunk_of, segment_of, window_at
from voice_transcriber.job import ChunkStatus, Window, WindowStatus
from voice_transcriber.jobs.coverage import (
    TAIL_CHARACTERS,
    chunk_fraction,
    chunk_status,
    percent_done,
    text_tail,
)

MINUTE = 60 * 16_000


def done(number: int) -> Window:
    return window_at(number, status=WindowStatus.DONE)


def failed(number: int) -> Window:
    return window_at(number, status=WindowStatus.FAILED)


def percent(*windows: Window, total_samples: int = MINUTE) -> float:
    return percent_done([chunk_of(2)], windows, total_samples=total_samples)


def test_the_share_of_windows_that_are_done() -> None:
    assert percent(window_at(0), window_at(1)) == 0
    assert percent(done(0), window_at(1)) == 50
    assert percent(done(0), done(1)) == 100


def test_a_window_that_failed_is_over_too() -> None:
    assert percent(done(0), failed(1)) == 100


def test_a_longer_window_counts_more() -> None:
    short = window_at(1, end_sample=window_at(1).start_sample + 10 * 16_000)
    assert percent(done(0), short) == 75


def test_a_planned_chunk_of_silence_is_done() -> None:
    assert percent() == 100


def test_what_is_not_planned_yet_is_not_done() -> None:
    assert percent(done(0), done(1), total_samples=4 * MINUTE) == 25


def test_it_is_never_more_than_all_and_of_nothing_it_is_nothing() -> None:
    assert percent(done(0), done(1), total_samples=MINUTE // 2) == 100
    assert percent_done([], [], total_samples=0) == 0


@pytest.mark.parametrize(
    ("windows", "status"),
    [
        ([], ChunkStatus.DONE),
        ([window_at(0)], ChunkStatus.WAITING),
        ([done(0), window_at(1)], ChunkStatus.TRANSCRIBING),
        ([failed(0), window_at(1)], ChunkStatus.TRANSCRIBING),
        ([done(0), done(1)], ChunkStatus.DONE),
        ([done(0), failed(1)], ChunkStatus.FAILED),
    ],
)
def test_the_status_of_a_chunk_is_that_of_its_windows(
    windows: list[Window], status: ChunkStatus
) -> None:
    assert chunk_status(chunk_of(2), windows, is_running=True) is status


def test_a_chunk_without_a_plan_is_planned_while_its_job_runs() -> None:
    unplanned = replace(chunk_of(2), is_planned=False)
    assert chunk_status(unplanned, [], is_running=True) is ChunkStatus.PLANNING
    assert chunk_status(unplanned, [], is_running=False) is ChunkStatus.WAITING
    given_up = replace(unplanned, failures=4, error="No memory.")
    assert chunk_status(given_up, [], is_running=True) is ChunkStatus.FAILED


def test_a_chunk_without_a_plan_is_not_done_until_it_is_given_up() -> None:
    unplanned = replace(chunk_of(2), is_planned=False)
    assert percent_done([unplanned], [], total_samples=MINUTE) == 0
    given_up = replace(unplanned, error="No memory.")
    assert percent_done([given_up], [], total_samples=MINUTE) == 100


def test_the_fraction_of_a_chunk() -> None:
    assert chunk_fraction(chunk_of(2), []) == 1
    assert chunk_fraction(chunk_of(2), [done(0), window_at(1)]) == 0.5


def test_the_newest_words_come_in_the_order_of_time() -> None:
    segments = {
        32_000: [segment_of(" two"), segment_of(" three")],
        0: [segment_of(" one")],
        64_000: [segment_of(" four")],
    }
    assert text_tail(segments) == "one two three four"


def test_the_newest_words_are_those_of_the_latest_time() -> None:
    segments = {number: [segment_of(f" w{number}")] for number in range(10)}
    assert text_tail(segments).endswith("w8 w9")
    assert "w5" not in text_tail(segments)


def test_a_long_text_is_cut_in_front() -> None:
    tail = text_tail({0: [segment_of(" word" * 100 + " end")]})
    assert len(tail) == TAIL_CHARACTERS + 1
    assert tail.startswith("…")
    assert tail.endswith("word end")


def test_no_text_has_no_tail() -> None:
    assert text_tail({}) == ""
