"""What is planned, waiting and done of one job, also after a restart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.contract.makers import WINDOW_SAMPLES, chunk_of, segment_of, window_at
from voice_transcriber.job import Window, WindowStatus
from voice_transcriber.jobs.ledger import Ledger
from voice_transcriber.store.base import Plan

TEXT = (segment_of(" words"),)


def ledger(*windows: Window, **changes: Any) -> Ledger:
    """A ledger of one chunk with these windows."""
    values: dict[str, Any] = {"chunks": [chunk_of(2)], "windows": windows, "segments": {}}
    return Ledger(Plan(**values | changes))


def test_a_new_job_has_nothing() -> None:
    empty = Ledger(Plan(chunks=(), windows=(), segments={}))
    assert (empty.planned_to, len(empty.waiting), empty.text_tail()) == (0, 0, "")


def test_after_a_restart_only_what_is_not_done_waits() -> None:
    found = ledger(
        window_at(0, status=WindowStatus.DONE),
        window_at(1),
        window_at(2, status=WindowStatus.FAILED),
        segments={0: TEXT},
    )
    assert list(found.waiting) == [window_at(1)]
    assert found.segments == {0: TEXT}
    assert [one.start_sample for one in found.failed_windows] == [2 * WINDOW_SAMPLES]


def test_after_a_restart_a_window_that_crashed_alone_is_still_a_suspect() -> None:
    found = ledger(window_at(0, crashes=1), window_at(1))
    assert [found.is_suspect(one) for one in found.waiting] == [True, False]


def test_a_chunk_adds_its_windows_and_moves_the_end_of_the_plan() -> None:
    found = Ledger(Plan(chunks=(), windows=(), segments={}))
    found.add_chunk(chunk_of(2), [window_at(0), window_at(1)])
    assert list(found.waiting) == [window_at(0), window_at(1)]
    assert found.planned_to == 2 * WINDOW_SAMPLES


def test_a_part_of_a_recording_is_planned_and_counted_from_its_start() -> None:
    start = 10 * WINDOW_SAMPLES
    found = Ledger(Plan(chunks=(), windows=(), segments={}), start_sample=start)
    assert found.planned_to == start
    window = window_at(10)
    chunk = replace(chunk_of(0), start_sample=start, end_sample=start + WINDOW_SAMPLES)
    found.add_chunk(chunk, [window])
    found.finish(window, TEXT, None)
    assert found.percent(total_samples=2 * WINDOW_SAMPLES) == 50.0


def test_the_language_that_was_spoken_last_is_that_of_the_last_window() -> None:
    assert ledger().last_language is None
    found = ledger(window_at(1, language="de"), window_at(0, language="en"))
    assert found.last_language == "de"


def test_a_finished_window_has_its_text_and_leaves_nothing() -> None:
    found = ledger(window_at(0))
    result = found.finish(found.waiting.popleft(), TEXT, None)
    assert (result.window, result.segments, result.follow_up) == (window_at(0), TEXT, None)
    assert not found.waiting
    assert found.segments == {0: TEXT}
    assert found.percent(total_samples=2 * WINDOW_SAMPLES) == 100


def test_what_a_window_left_out_waits_as_a_window() -> None:
    found = ledger(window_at(0, crashes=2))
    result = found.finish(found.waiting.popleft(), TEXT, 16_000)
    (rest,) = found.waiting
    assert result.follow_up == rest
    assert (rest.start_sample, rest.end_sample) == (16_000, WINDOW_SAMPLES)
    assert (rest.crashes, rest.status) == (0, WindowStatus.PENDING)
    assert not found.is_suspect(rest)


def test_a_suspect_goes_again_before_the_others() -> None:
    found = ledger(window_at(0), window_at(1))
    suspect = found.waiting.popleft()
    found.suspect(suspect)
    found.again(suspect)
    assert list(found.waiting) == [window_at(0), window_at(1)]
    assert found.is_suspect(suspect)


def test_a_window_that_failed_for_good_waits_no_more() -> None:
    found = ledger(window_at(0), window_at(1))
    found.waiting.popleft()
    found.again(window_at(0, status=WindowStatus.FAILED, crashes=3))
    assert list(found.waiting) == [window_at(1)]
    assert [one.crashes for one in found.failed_windows] == [3]
    assert found.percent(total_samples=2 * WINDOW_SAMPLES) == 50
