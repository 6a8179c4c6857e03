"""The remaining time of a job: from its own pace, before that from earlier jobs'."""

from __future__ import annotations

import pytest

from tests.contract.makers import Clock
from voice_transcriber.jobs.pace import Pace


def test_without_any_figure_nothing_is_told() -> None:
    clock = Clock()
    pace = Pace(None, clock=clock)
    assert pace.remaining_s(done_s=0, total_s=600) is None
    clock.now += 10
    assert pace.remaining_s(done_s=30, total_s=600) is None


def test_a_job_that_has_done_enough_is_measured_by_itself() -> None:
    clock = Clock()
    pace = Pace(None, clock=clock)
    pace.remaining_s(done_s=0, total_s=600)
    clock.now += 50
    assert pace.remaining_s(done_s=100, total_s=600) == pytest.approx(250)


def test_what_an_earlier_attempt_has_done_is_not_counted_as_pace() -> None:
    clock = Clock()
    pace = Pace(None, clock=clock)
    pace.remaining_s(done_s=300, total_s=600)
    clock.now += 100
    assert pace.remaining_s(done_s=400, total_s=600) == pytest.approx(200)


def test_at_the_start_the_models_typical_factor_tells() -> None:
    assert Pace(0.5, clock=Clock()).remaining_s(done_s=0, total_s=600) == pytest.approx(300)


def test_the_estimate_moves_from_the_typical_factor_to_the_jobs_own() -> None:
    clock = Clock()
    pace = Pace(0.5, clock=clock)
    told = [pace.remaining_s(done_s=0, total_s=36_000)]
    for done_s in (120, 1_200, 12_000):  # the machine needs two seconds for each, not a half
        clock.now = Clock().now + 2 * done_s
        told.append(pace.remaining_s(done_s=done_s, total_s=36_000))
    factors = [
        rest / (36_000 - done)
        for rest, done in zip(told, (0, 120, 1_200, 12_000), strict=True)
        if rest is not None
    ]
    assert factors == [pytest.approx(0.5), pytest.approx(1.25), *sorted(factors[2:])]
    assert factors[-1] == pytest.approx(2, abs=0.02)


def test_silence_at_the_end_leaves_nothing_and_an_unknown_length_no_answer() -> None:
    pace = Pace(0.5, clock=Clock())
    assert pace.remaining_s(done_s=600, total_s=600) == 0
    assert pace.remaining_s(done_s=0, total_s=0) is None
