"""The committed plan of a job: chunks, windows, their results and their crashes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract.makers import (
    ERROR,
    PROGRESS,
    Jobs,
    chunk_of,
    result_of,
    transcript_of,
    window_at,
)
from voice_transcriber.errors import InternalError
from voice_transcriber.job import JobStatus, WindowStatus
from voice_transcriber.store.base import Store


def test_a_plan_is_committed_chunk_by_chunk(store: Store, jobs: Jobs) -> None:
    claim = jobs.running()
    windows = [window_at(1, chunk_index=3, language="de"), window_at(0, chunk_index=3)]
    store.add_chunk(claim, chunk_of(2, index=3), windows)
    store.add_chunk(claim, replace(chunk_of(0, index=1), language=None), [])
    plan = store.plan(claim.job_id)
    assert plan.chunks == [replace(chunk_of(0, index=1), language=None), chunk_of(2, index=3)]
    assert plan.windows == windows[::-1]
    assert plan.segments == {}


def test_a_chunk_is_committed_once(store: Store, jobs: Jobs) -> None:
    claim = jobs.planned(windows=1)
    plan = store.plan(claim.job_id)
    with pytest.raises(InternalError):
        store.add_chunk(claim, chunk_of(5), [window_at(4)])
    assert store.plan(claim.job_id) == plan


def test_a_chunk_without_a_plan_is_replaced_until_it_has_one(store: Store, jobs: Jobs) -> None:
    claim = jobs.running()
    opened = replace(chunk_of(4), is_planned=False)
    store.add_chunk(claim, opened, [])
    assert store.plan(claim.job_id).chunks == [opened]
    failed = replace(opened, failures=4, error="There was not enough memory.")
    store.add_chunk(claim, failed, [])
    assert store.plan(claim.job_id).chunks == [failed]
    store.add_chunk(claim, chunk_of(2), [window_at(0)])
    plan = store.plan(claim.job_id)
    assert (plan.chunks, plan.windows) == ([chunk_of(2)], [window_at(0)])


def test_a_chunk_that_is_given_up_keeps_its_text_and_tells_why(store: Store, jobs: Jobs) -> None:
    claim = jobs.planned(windows=3)
    store.finish_windows(claim, [result_of(window_at(0), " Kept.")], PROGRESS)
    tried = replace(chunk_of(3), failures=2)
    store.set_failures(claim, tried)
    assert store.plan(claim.job_id).chunks == [tried]
    given_up = replace(chunk_of(3), failures=4, error="The server is away.")
    store.set_failures(claim, given_up, failed=[window_at(2)])
    plan = store.plan(claim.job_id)
    assert plan.chunks == [given_up]
    statuses = [window.status for window in plan.windows]
    assert statuses == [WindowStatus.DONE, WindowStatus.PENDING, WindowStatus.FAILED]
    assert list(plan.segments) == [0]


def test_only_a_pending_window_can_be_given_up(store: Store, jobs: Jobs) -> None:
    claim = jobs.planned(windows=1)
    store.finish_windows(claim, [result_of(window_at(0), " Done.")], PROGRESS)
    before = store.plan(claim.job_id)
    given_up = replace(chunk_of(1), failures=4, error="The server is away.")
    with pytest.raises(InternalError):
        store.set_failures(claim, given_up, failed=[window_at(0)])
    assert store.plan(claim.job_id) == before


def test_a_retry_gives_chunks_their_tries_back(store: Store, jobs: Jobs) -> None:
    claim = jobs.planned(windows=2)
    given_up = replace(chunk_of(2), failures=4, error="The server is away.")
    store.set_failures(claim, given_up, failed=[window_at(0), window_at(1)])
    store.fail(claim, ERROR, {})
    store.retry(claim.job_id, max_queued=10)
    plan = store.plan(claim.job_id)
    assert plan.chunks == [chunk_of(2)]
    assert plan.windows == [window_at(0), window_at(1)]


def test_plans_of_two_jobs_are_apart(store: Store, jobs: Jobs) -> None:
    first, second = jobs.planned(windows=1), jobs.planned(windows=1)
    store.finish_windows(first, [result_of(window_at(0), " First.")], PROGRESS)
    assert store.plan(second.job_id).segments == {}
    assert store.plan(second.job_id).windows == [window_at(0)]


def test_results_follow_ups_and_progress_are_committed_together(store: Store, jobs: Jobs) -> None:
    claim = jobs.planned(windows=2)
    rest = window_at(0, start_sample=400_000, end_sample=480_000)
    store.finish_windows(
        claim,
        [result_of(window_at(0), " Grüße,", follow_up=rest), result_of(window_at(1), " Welt.")],
        PROGRESS,
    )
    plan = store.plan(claim.job_id)
    done = WindowStatus.DONE
    assert plan.windows == [window_at(0, status=done), rest, window_at(1, status=done)]
    assert plan.segments == {
        0: tuple(result_of(window_at(0), " Grüße,").segments),
        window_at(1).start_sample: tuple(result_of(window_at(1), " Welt.").segments),
    }
    assert store.get(claim.job_id).percent == PROGRESS.percent


def test_one_wrong_result_rolls_all_back(store: Store, jobs: Jobs) -> None:
    claim = jobs.planned(windows=1)
    before, plan = store.get(claim.job_id), store.plan(claim.job_id)
    with pytest.raises(InternalError):
        store.finish_windows(
            claim, [result_of(window_at(0), " Good."), result_of(window_at(9), " Bad.")], PROGRESS
        )
    assert (store.get(claim.job_id), store.plan(claim.job_id)) == (before, plan)


def test_a_window_is_finished_once(store: Store, jobs: Jobs) -> None:
    claim = jobs.planned(windows=1)
    store.finish_windows(claim, [result_of(window_at(0), " First.")], PROGRESS)
    with pytest.raises(InternalError):
        store.finish_windows(claim, [result_of(window_at(0), " Second.")], PROGRESS)
    assert [segment.text for segment in store.plan(claim.job_id).segments[0]] == [" First."]


def test_a_window_that_crashes_too_often_fails_alone(store: Store, jobs: Jobs) -> None:
    claim = jobs.planned(windows=2)
    first = store.count_window_crash(claim, window_at(1), max_crashes=2)
    second = store.count_window_crash(claim, window_at(1), max_crashes=2)
    assert first == window_at(1, crashes=1)
    assert second == window_at(1, crashes=2, status=WindowStatus.FAILED)
    assert store.plan(claim.job_id).windows == [window_at(0), second]
    assert store.get(claim.job_id).failures == 0


def test_only_a_pending_window_can_crash(store: Store, jobs: Jobs) -> None:
    claim = jobs.planned(windows=1)
    store.finish_windows(claim, [result_of(window_at(0), " Done.")], PROGRESS)
    with pytest.raises(InternalError):
        store.count_window_crash(claim, window_at(0), max_crashes=3)


def test_a_completed_job_needs_its_windows_no_longer(store: Store, jobs: Jobs) -> None:
    claim = jobs.planned()
    store.complete(claim, transcript_of(" All."), {})
    plan = store.plan(claim.job_id)
    assert (plan.windows, plan.chunks) == ([], [chunk_of(2)])


def test_a_failed_job_keeps_its_windows_and_its_reason(store: Store, jobs: Jobs) -> None:
    claim = jobs.planned(windows=1)
    store.finish_windows(claim, [result_of(window_at(0), " Kept.")], PROGRESS)
    store.fail(claim, ERROR, {"wall_s": 2.0})
    job = store.get(claim.job_id)
    assert (job.status, job.error, job.performance) == (JobStatus.FAILED, ERROR, {"wall_s": 2.0})
    assert job.text_tail == PROGRESS.text_tail
    assert list(store.plan(claim.job_id).segments) == [0]
