"""The store as its clients see it: accept, cancel, retry, delete, keep."""

from __future__ import annotations

import pytest

from tests.contract.makers import (
    ERROR,
    MANY,
    PROGRESS,
    Clock,
    Jobs,
    result_of,
    transcript_of,
    window_at,
)
from voice_transcriber.errors import InternalError, NotFound, QueueFull, WrongState
from voice_transcriber.job import (
    Job,
    JobStatus,
    Priority,
    Stage,
    TranscribeOptions,
    WindowStatus,
)
from voice_transcriber.store.base import Store


def test_an_added_job_is_queued_as_it_was_given(store: Store, jobs: Jobs, clock: Clock) -> None:
    options = TranscribeOptions(
        model="small", language="de", task="translate", prompt="Zürich", word_timestamps=True
    )
    new = jobs.new(filename="Gespräch.mp3", options=options, priority=Priority.HIGH)
    job = store.add(new, max_queued=1)
    assert job == Job(
        id=new.id,
        seq=job.seq,
        revision=store.revision,
        status=JobStatus.QUEUED,
        filename="Gespräch.mp3",
        blob_sha256=new.blob_sha256,
        size_bytes=new.size_bytes,
        options=options,
        priority=Priority.HIGH,
        created_at=clock.now,
        queued_at=clock.now,
        language="de",
    )
    assert store.get(job.id) == job


def test_later_jobs_have_higher_numbers_even_after_a_deletion(store: Store, jobs: Jobs) -> None:
    first = jobs.cancelled()
    store.delete(first.id)
    assert jobs.queued().seq > first.seq


def test_a_full_queue_says_no_and_changes_nothing(store: Store, jobs: Jobs) -> None:
    store.add(jobs.new(), max_queued=1)
    revision = store.revision
    with pytest.raises(QueueFull):
        store.add(jobs.new(), max_queued=1)
    assert store.page(limit=10).total == 1
    assert store.revision == revision


def test_running_jobs_leave_room_in_the_queue(store: Store, jobs: Jobs) -> None:
    jobs.running()
    assert store.add(jobs.new(), max_queued=1).status is JobStatus.QUEUED


def test_an_id_is_accepted_once(store: Store, jobs: Jobs) -> None:
    job = jobs.queued()
    with pytest.raises(InternalError):
        jobs.queued(id=job.id)
    assert store.page(limit=10).total == 1


def test_an_unknown_job_is_not_found(store: Store) -> None:
    for ask in (store.get, store.cancel, store.delete, store.transcript):
        with pytest.raises(NotFound):
            ask("nobody")
    with pytest.raises(NotFound):
        store.retry("nobody", max_queued=MANY)


# Cancel


def test_a_queued_job_is_cancelled_at_once(store: Store, jobs: Jobs, clock: Clock) -> None:
    job = store.cancel(jobs.queued().id)
    assert (job.status, job.finished_at) == (JobStatus.CANCELLED, clock.now)
    assert store.get(job.id) == job
    assert jobs.next() is None


def test_a_running_job_is_asked_to_end(store: Store, jobs: Jobs) -> None:
    claim = jobs.running()
    job = store.cancel(claim.job_id)
    assert (job.status, job.cancel_requested) == (JobStatus.RUNNING, True)
    store.end_cancelled(claim)
    ended = store.get(claim.job_id)
    assert (ended.status, ended.cancel_requested) == (JobStatus.CANCELLED, False)


def test_a_job_that_has_ended_cannot_be_cancelled(store: Store, jobs: Jobs) -> None:
    for job in (jobs.completed(), jobs.failed(), jobs.cancelled()):
        with pytest.raises(WrongState, match=job.status.value):
            store.cancel(job.id)
        assert store.get(job.id) == job


# Retry


def test_a_retried_job_starts_its_counters_anew(store: Store, jobs: Jobs, clock: Clock) -> None:
    claim = jobs.running()
    store.release(claim, failures=1, run_at=clock.now)
    claim = jobs.claim()
    store.fail(claim, ERROR, {"wall_s": 3})
    job = store.retry(claim.job_id, max_queued=1)
    assert (job.status, job.error, job.failures) == (JobStatus.QUEUED, None, 0)
    assert (job.started_at, job.finished_at, job.performance) == (None, None, {})
    assert job.attempt == 2
    assert jobs.claim().attempt == 3


def test_a_retry_keeps_finished_windows_and_renews_failed_ones(store: Store, jobs: Jobs) -> None:
    claim = jobs.planned(windows=3)
    store.finish_windows(claim, [result_of(window_at(0), " Kept.")], PROGRESS)
    store.count_window_crash(claim, window_at(1), max_crashes=1)
    store.count_window_crash(claim, window_at(2), max_crashes=9)
    store.fail(claim, ERROR, {})
    store.retry(claim.job_id, max_queued=1)
    plan = store.plan(claim.job_id)
    assert plan.windows == [
        window_at(0, status=WindowStatus.DONE),
        window_at(1),
        window_at(2),
    ]
    assert [segment.text for segment in plan.segments[0]] == [" Kept."]


def test_a_cancelled_job_can_be_retried(store: Store, jobs: Jobs) -> None:
    job = jobs.cancelled()
    store.retry(job.id, max_queued=1)
    assert jobs.claim().job_id == job.id


def test_a_retry_needs_a_failed_or_cancelled_job(store: Store, jobs: Jobs) -> None:
    completed, running = jobs.completed(), jobs.running()
    queued = jobs.queued()
    for job_id in (completed.id, running.job_id, queued.id):
        with pytest.raises(WrongState):
            store.retry(job_id, max_queued=MANY)


def test_a_retry_needs_room_in_the_queue(store: Store, jobs: Jobs) -> None:
    job = jobs.cancelled()
    jobs.queued()
    with pytest.raises(QueueFull):
        store.retry(job.id, max_queued=1)
    assert store.get(job.id) == job
    assert store.retry(job.id, max_queued=2).status is JobStatus.QUEUED


# Delete


def test_a_deleted_job_is_gone_with_all_its_rows(store: Store, jobs: Jobs) -> None:
    claim = jobs.planned()
    store.finish_windows(claim, [result_of(window_at(0), " Text.")], PROGRESS)
    store.fail(claim, ERROR, {})
    deleted = store.delete(claim.job_id)
    assert deleted.id == claim.job_id
    with pytest.raises(NotFound):
        store.get(claim.job_id)
    plan = store.plan(claim.job_id)
    assert (plan.chunks, plan.windows, plan.segments) == ([], [], {})


def test_a_deleted_transcript_is_gone(store: Store, jobs: Jobs) -> None:
    job = jobs.completed()
    store.delete(job.id)
    with pytest.raises(NotFound):
        store.transcript(job.id)


def test_a_live_job_cannot_be_deleted(store: Store, jobs: Jobs) -> None:
    running = jobs.running().job_id
    for job_id in (running, jobs.queued().id):
        with pytest.raises(WrongState):
            store.delete(job_id)
        assert store.get(job_id).is_live


# Transcript


def test_a_completed_job_has_its_one_transcript(store: Store, jobs: Jobs, clock: Clock) -> None:
    claim = jobs.planned()
    clock.now += 5
    store.complete(claim, transcript_of(" Grüße, 世界."), {"wall_s": 5.0, "peak": {"app": 1}})
    assert store.transcript(claim.job_id) == transcript_of(" Grüße, 世界.")
    job = store.get(claim.job_id)
    assert (job.status, job.percent, job.finished_at) == (JobStatus.COMPLETED, 100.0, clock.now)
    assert (job.stage, job.owner) == (Stage.WAITING, None)
    assert job.performance == {"wall_s": 5.0, "peak": {"app": 1}}


def test_a_job_without_transcript_says_its_state(store: Store, jobs: Jobs) -> None:
    failed = jobs.failed()
    queued = jobs.queued()
    for job in (queued, failed):
        with pytest.raises(WrongState, match=job.status.value):
            store.transcript(job.id)


# Housekeeping


def test_every_blob_of_a_job_is_in_use_until_its_last_job_is_deleted(
    store: Store, jobs: Jobs
) -> None:
    first = jobs.cancelled(blob_sha256="a" * 64)
    second = jobs.cancelled(blob_sha256="a" * 64)
    store.delete(first.id)
    assert set(store.blobs_in_use()) == {"a" * 64}
    store.delete(second.id)
    assert set(store.blobs_in_use()) == set()


def test_live_jobs_are_the_queued_and_the_running(store: Store, jobs: Jobs) -> None:
    jobs.completed()
    jobs.failed()
    jobs.cancelled()
    live = {jobs.running().job_id, jobs.queued().id}
    assert set(store.live_ids()) == live


def test_models_in_use_are_those_of_live_jobs(store: Store, jobs: Jobs) -> None:
    jobs.completed(options=TranscribeOptions(model="tiny"))
    jobs.running(options=TranscribeOptions(model="small"))
    jobs.queued(options=TranscribeOptions(model="base"))
    jobs.queued(options=TranscribeOptions(model="base"))
    assert set(store.models_in_use()) == {"small", "base"}


def test_old_jobs_are_those_that_ended_before_a_time(
    store: Store, jobs: Jobs, clock: Clock
) -> None:
    oldest = jobs.completed()
    clock.now += 10
    older = jobs.failed()
    clock.now += 10
    jobs.cancelled()
    jobs.queued()
    assert store.finished_before(finished_before=clock.now, limit=9) == [oldest, older]
    assert store.finished_before(finished_before=clock.now, limit=1) == [oldest]


def test_a_retried_job_is_not_an_old_one(store: Store, jobs: Jobs, clock: Clock) -> None:
    store.retry(jobs.failed().id, max_queued=1)
    assert store.finished_before(finished_before=clock.now + 1, limit=9) == []
