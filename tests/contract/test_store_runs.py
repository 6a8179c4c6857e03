"""The store as its workers see it: claims, their order, fencing, the plan, resume."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier

import pytest

from tests.contract.makers import (
    ERROR,
    MANY,
    PROGRESS,
    Clock,
    Jobs,
    chunk_of,
    result_of,
    transcript_of,
    window_at,
)
from voice_transcriber.errors import ClaimLost, NotFound
from voice_transcriber.job import Claim, JobStatus, Lane, Priority, Stage
from voice_transcriber.store.base import AGING_S, LONGEST_DELAY_S, Progress, Store

DAY_S = 86_400.0

# Claims


def test_a_claim_starts_an_attempt(store: Store, jobs: Jobs, clock: Clock) -> None:
    queued = jobs.queued()
    clock.now += 5
    job = jobs.next()
    assert job == replace(
        queued,
        status=JobStatus.RUNNING,
        owner="boot-1",
        attempt=1,
        started_at=clock.now,
        revision=store.revision,
    )
    assert store.get(queued.id) == job
    assert jobs.next() is None


def test_a_second_attempt_keeps_the_first_start(store: Store, jobs: Jobs, clock: Clock) -> None:
    started_at = clock.now
    store.release(jobs.running())
    clock.now += 60
    job = jobs.next()
    assert job is not None
    assert (job.attempt, job.started_at) == (2, started_at)


def test_jobs_are_claimed_by_priority_then_first_come(store: Store, jobs: Jobs) -> None:
    order = (Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.NORMAL, Priority.HIGH)
    ids = [jobs.queued(priority=priority).id for priority in order]
    expected = [ids[2], ids[4], ids[1], ids[3], ids[0]]
    assert store.queue_order(limit=MANY) == expected
    assert store.queue_order(limit=2) == expected[:2]
    assert [jobs.claim().job_id for _ in ids] == expected


def test_a_job_that_waited_long_counts_as_urgent(store: Store, jobs: Jobs, clock: Clock) -> None:
    low = jobs.queued(priority=Priority.LOW)
    clock.now += AGING_S - 1
    high = jobs.queued(priority=Priority.HIGH)
    assert store.queue_order(limit=2) == [high.id, low.id]
    clock.now += 1
    assert store.queue_order(limit=2) == [low.id, high.id]
    assert jobs.claim().job_id == low.id


def test_waiting_starts_anew_with_a_retry(store: Store, jobs: Jobs, clock: Clock) -> None:
    low = jobs.cancelled(priority=Priority.LOW)
    clock.now += 2 * AGING_S
    normal = jobs.queued()
    store.retry(low.id, max_queued=MANY)
    assert store.queue_order(limit=2) == [normal.id, low.id]


def test_a_job_is_not_claimed_before_its_time(store: Store, jobs: Jobs, clock: Clock) -> None:
    claim = jobs.running(priority=Priority.HIGH)
    store.release(claim, run_at=clock.now + 10)
    other = jobs.queued(priority=Priority.LOW)
    assert store.queue_order(limit=2) == [other.id, claim.job_id]
    assert jobs.claim().job_id == other.id
    assert jobs.next() is None
    clock.now += 10
    assert jobs.claim().job_id == claim.job_id


@pytest.mark.parametrize("jump_s", [-DAY_S, DAY_S])
def test_a_clock_that_jumps_keeps_no_job_waiting(
    jump_s: float, store: Store, jobs: Jobs, clock: Clock
) -> None:
    claim = jobs.running()
    store.release(claim, run_at=clock.now + LONGEST_DELAY_S)
    assert jobs.next() is None
    clock.now += jump_s
    assert store.queue_order(limit=1) == [claim.job_id]
    assert jobs.claim().job_id == claim.job_id


def test_a_clock_that_was_set_back_keeps_no_file_from_being_looked_at(
    store: Store, jobs: Jobs, clock: Clock
) -> None:
    job = jobs.queued()
    clock.now -= DAY_S
    assert store.next_unprobed(skip=(), older_than_s=60) == job


def test_threads_never_claim_the_same_job(store: Store, jobs: Jobs) -> None:
    ids = {jobs.queued().id for _ in range(40)}
    together = Barrier(4)

    def claim_all(owner: str) -> list[str]:
        together.wait()
        claimed = []
        while job := jobs.next(owner=owner):
            claimed.append(job.id)
        return claimed

    with ThreadPoolExecutor(4) as threads:
        claimed = [one for each in threads.map(claim_all, "abcd") for one in each]
    assert len(claimed) == len(ids)
    assert set(claimed) == ids


# The express lane


def test_the_express_lane_takes_short_jobs(store: Store, jobs: Jobs) -> None:
    jobs.queued(duration_s=60.1)
    jobs.queued()
    short = jobs.queued(duration_s=60.0)
    job = jobs.next(Lane.EXPRESS)
    assert job is not None
    assert job.id == short.id
    assert jobs.next(Lane.EXPRESS) is None


def test_the_express_lane_takes_what_is_more_urgent_than_all_that_runs(
    store: Store, jobs: Jobs
) -> None:
    jobs.running(priority=Priority.LOW)
    jobs.running(priority=Priority.NORMAL)
    jobs.queued(priority=Priority.NORMAL)
    high = jobs.queued(priority=Priority.HIGH)
    job = jobs.next(Lane.EXPRESS)
    assert job is not None
    assert job.id == high.id
    assert jobs.next(Lane.EXPRESS) is None


def test_the_express_lane_leaves_long_jobs_alone_when_nothing_runs(jobs: Jobs) -> None:
    jobs.queued(priority=Priority.HIGH, duration_s=3600.0)
    assert jobs.next(Lane.EXPRESS) is None


def test_waiting_does_not_put_a_long_job_on_the_express_lane(jobs: Jobs, clock: Clock) -> None:
    jobs.running()
    jobs.queued(duration_s=3600.0)
    clock.now += 2 * AGING_S
    assert jobs.next(Lane.EXPRESS) is None


# Probes


def test_the_next_unprobed_job_is_first_in_claim_order(store: Store, jobs: Jobs) -> None:
    jobs.queued(priority=Priority.HIGH, duration_s=1.0)
    later = jobs.queued(priority=Priority.LOW)
    sooner = jobs.queued()
    assert store.next_unprobed(skip=(), older_than_s=0) == sooner
    assert store.set_probe(sooner.id, duration_s=12.5)
    assert store.get(sooner.id).duration_s == 12.5
    assert store.next_unprobed(skip=(), older_than_s=0) == later
    assert store.set_probe(later.id, duration_s=1.0)
    assert store.next_unprobed(skip=(), older_than_s=0) is None


def test_the_next_unprobed_job_is_neither_skipped_nor_new(
    store: Store, jobs: Jobs, clock: Clock
) -> None:
    job = jobs.queued()
    assert store.next_unprobed(skip={job.id}, older_than_s=0) is None
    assert store.next_unprobed(skip=(), older_than_s=60) is None
    clock.now += 61
    assert store.next_unprobed(skip=(), older_than_s=60) == job


def test_a_probe_of_a_job_that_left_the_queue_is_dropped(store: Store, jobs: Jobs) -> None:
    job_id = jobs.running().job_id
    assert not store.set_probe(job_id, duration_s=1.0)
    assert not store.fail_queued(job_id, ERROR)
    assert not store.set_probe("nobody", duration_s=1.0)
    assert store.get(job_id).duration_s is None


def test_a_queued_job_can_fail_before_it_runs(store: Store, jobs: Jobs, clock: Clock) -> None:
    job_id = jobs.queued().id
    assert store.fail_queued(job_id, ERROR)
    job = store.get(job_id)
    assert (job.status, job.error, job.finished_at) == (JobStatus.FAILED, ERROR, clock.now)
    assert jobs.next() is None


# Reclaim and release


def test_jobs_of_a_dead_process_are_queued_again(store: Store, jobs: Jobs) -> None:
    claim = jobs.planned()
    store.finish_windows(claim, [result_of(window_at(0), " Kept.")], PROGRESS)
    assert store.reclaim(owner="boot-2") == 1
    job = store.get(claim.job_id)
    assert (job.status, job.owner, job.stage) == (JobStatus.QUEUED, None, Stage.WAITING)
    assert (job.failures, job.percent) == (0, PROGRESS.percent)
    assert list(store.plan(claim.job_id).segments) == [0]


def test_a_process_keeps_its_own_jobs(store: Store, jobs: Jobs) -> None:
    claim = jobs.running()
    revision = store.revision
    assert store.reclaim(owner=claim.owner) == 0
    assert store.revision == revision
    store.progress(claim, PROGRESS)


def test_a_reclaimed_job_that_was_to_end_is_cancelled(store: Store, jobs: Jobs) -> None:
    claim = jobs.running()
    store.cancel(claim.job_id)
    assert store.reclaim(owner="boot-2") == 1
    assert store.get(claim.job_id).status is JobStatus.CANCELLED


def test_a_released_job_counts_its_failures(store: Store, jobs: Jobs) -> None:
    store.release(jobs.running(), failures=1)
    store.release(jobs.claim(), failures=2)
    store.release(jobs.claim())
    job = jobs.next()
    assert job is not None
    assert (job.failures, job.attempt) == (2, 4)


def test_what_a_released_job_waits_for_counts_until_it_is_claimed(store: Store, jobs: Jobs) -> None:
    claim = jobs.running()
    store.release(claim, waits_for="Waits for room.")
    assert store.get(claim.job_id).waits_for == "Waits for room."
    jobs.claim()
    assert store.get(claim.job_id).waits_for is None


def test_a_cancelled_job_waits_for_nothing(store: Store, jobs: Jobs) -> None:
    claim = jobs.running()
    store.release(claim, waits_for="Waits for room.")
    assert store.cancel(claim.job_id).waits_for is None


def test_a_released_job_that_was_to_end_is_cancelled(store: Store, jobs: Jobs) -> None:
    claim = jobs.running()
    store.cancel(claim.job_id)
    store.release(claim)
    assert store.get(claim.job_id).status is JobStatus.CANCELLED
    assert jobs.next() is None


# Fenced writes

FENCED: dict[str, Callable[[Store, Claim], object]] = {
    "progress": lambda store, claim: store.progress(claim, PROGRESS),
    "set_duration": lambda store, claim: store.set_duration(claim, duration_s=9.0),
    "set_language": lambda store, claim: store.set_language(claim, language="fr", probability=1),
    "set_failures": lambda store, claim: store.set_failures(claim, chunk_of(2)),
    "add_chunk": lambda store, claim: store.add_chunk(claim, chunk_of(1, index=1), []),
    "finish_windows": lambda store, claim: store.finish_windows(
        claim, [result_of(window_at(0), " Stale.", follow_up=window_at(7))], PROGRESS
    ),
    "count_window_crash": lambda store, claim: store.count_window_crash(
        claim, window_at(0), max_crashes=1
    ),
    "release": lambda store, claim: store.release(claim, failures=1),
    "complete": lambda store, claim: store.complete(claim, transcript_of(" Stale."), {}),
    "fail": lambda store, claim: store.fail(claim, ERROR, {}),
    "end_cancelled": lambda store, claim: store.end_cancelled(claim),
}


@pytest.fixture(params=FENCED)
def write(request: pytest.FixtureRequest, store: Store) -> Callable[[Claim], object]:
    """Every fenced method, one after the other."""
    return partial(FENCED[request.param], store)


@pytest.mark.parametrize(
    "other",
    [
        Claim(job_id="job-0", attempt=7, owner="boot-1"),
        Claim(job_id="job-0", attempt=1, owner="boot-2"),
        Claim(job_id="nobody", attempt=1, owner="boot-1"),
    ],
)
def test_a_claim_of_another_attempt_owner_or_job_changes_nothing(
    store: Store, jobs: Jobs, write: Callable[[Claim], object], other: Claim
) -> None:
    claim = jobs.planned()
    assert claim == Claim(job_id="job-0", attempt=1, owner="boot-1")
    before, plan = store.get(claim.job_id), store.plan(claim.job_id)
    with pytest.raises(ClaimLost):
        write(other)
    assert (store.get(claim.job_id), store.plan(claim.job_id)) == (before, plan)
    assert store.revision == before.revision


def test_a_claim_is_lost_to_the_next_attempt(
    store: Store, jobs: Jobs, write: Callable[[Claim], object]
) -> None:
    stale = jobs.planned()
    store.reclaim(owner="boot-2")
    current = jobs.next(owner="boot-2")
    with pytest.raises(ClaimLost):
        write(stale)
    assert store.get(stale.job_id) == current


def test_a_claim_ends_with_its_job(
    store: Store, jobs: Jobs, write: Callable[[Claim], object]
) -> None:
    claim = jobs.planned()
    store.end_cancelled(claim)
    ended = store.get(claim.job_id)
    with pytest.raises(ClaimLost):
        write(claim)
    assert store.get(claim.job_id) == ended
    store.delete(claim.job_id)
    with pytest.raises(ClaimLost):
        write(claim)
    with pytest.raises(NotFound):
        store.get(claim.job_id)


def test_a_current_claim_writes(store: Store, jobs: Jobs, write: Callable[[Claim], object]) -> None:
    claim = jobs.planned()
    revision = store.revision
    write(claim)
    assert store.revision > revision
    assert [job.id for job in store.changes(since=revision, limit=9).jobs] == [claim.job_id]


def test_a_job_that_is_asked_to_end_can_still_write(store: Store, jobs: Jobs) -> None:
    claim = jobs.planned()
    store.cancel(claim.job_id)
    store.complete(claim, transcript_of(" Just in time."), {})
    job = store.get(claim.job_id)
    assert (job.status, job.cancel_requested) == (JobStatus.COMPLETED, False)


def test_progress_shows_on_the_job(store: Store, jobs: Jobs) -> None:
    claim = jobs.running()
    progress = Progress(
        stage=Stage.DECODING, percent=12.5, stage_percent=40.0, text_tail="the newest words"
    )
    store.progress(claim, progress)
    store.set_duration(claim, duration_s=61.5)
    store.set_language(claim, language="fr", probability=0.75)
    job = store.get(claim.job_id)
    assert (job.stage, job.percent, job.stage_percent) == (Stage.DECODING, 12.5, 40.0)
    assert job.text_tail == "the newest words"
    assert (job.duration_s, job.language, job.language_probability) == (61.5, "fr", 0.75)
