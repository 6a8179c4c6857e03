"""Results that serve again: whose they are, how long they stay, and which jobs wait for others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.makers import ERROR, MANY, Clock, Jobs, transcript_of
from voice_transcriber.errors import ClaimLost
from voice_transcriber.job import Claim, Job, JobStatus, Lane, Priority, TranscribeOptions
from voice_transcriber.store.base import Store
from voice_transcriber.store.results import (
    DecodedAs,
    KnownAnswer,
    ResultKind,
    ResultNotes,
    StoredResult,
)
from voice_transcriber.store.rows import transcript_to_column

LONG_AGO = 0.0
BLOB = "ab" * 32


def result_of(key: str, content: bytes = b"text") -> StoredResult:
    return StoredResult(key=key, kind=ResultKind.FILE, content=content, checksum="sum")


def decoded_as(blob_sha256: str) -> DecodedAs:
    return DecodedAs(
        blob_sha256=blob_sha256,
        selection="all",
        pcm_sha256="cd" * 32,
        end_sample=160_000,
        duration_ms=10_000,
    )


def answer_of(key: str, **changes: Any) -> KnownAnswer:
    values: dict[str, Any] = {
        "key": key,
        "content": transcript_to_column(transcript_of("Known.")),
        "duration_s": 60.0,
        "language": "en",
        "language_probability": 0.9,
        "text_tail": "Known.",
        "performance": {"cached": True},
    }
    return KnownAnswer(**values | changes)


def completed(jobs: Jobs, key: str, *, content: bytes = b"text", **changes: Any) -> Job:
    """A job that was computed and left its result."""
    claim = jobs.running(**changes)
    notes = ResultNotes(made=result_of(key, content))
    jobs.store.complete(claim, transcript_of("All of it."), {}, notes)
    return jobs.store.get(claim.job_id)


def known(store: Store, key: str) -> StoredResult | None:
    return store.find_result(key, made_after=LONG_AGO)


def test_a_result_is_found_again_with_the_jobs_that_it_belongs_to(
    open_store: Callable[[], Store],
) -> None:
    job = completed(Jobs(open_store()), "one")
    found = known(open_store(), "one")
    assert found is not None
    assert (found.content, found.checksum, found.kind) == (b"text", "sum", ResultKind.FILE)
    assert set(found.jobs) == {job.id}
    assert known(open_store(), "another") is None


def test_what_is_too_old_is_not_found(jobs: Jobs, store: Store, clock: Clock) -> None:
    completed(jobs, "one")
    assert store.find_result("one", made_after=clock.now - 1) is not None
    assert store.find_result("one", made_after=clock.now) is None


def test_a_result_is_stored_only_with_the_end_of_its_job(jobs: Jobs, store: Store) -> None:
    claim = jobs.running()
    lost = Claim(job_id=claim.job_id, attempt=claim.attempt + 1, owner=claim.owner)
    with pytest.raises(ClaimLost):
        store.complete(lost, transcript_of("No."), {}, ResultNotes(made=result_of("one")))
    assert known(store, "one") is None


def test_a_newer_result_takes_the_place_of_an_older_one(jobs: Jobs, store: Store) -> None:
    completed(jobs, "one", content=b"old")
    completed(jobs, "one", content=b"new")
    found = known(store, "one")
    assert found is not None
    assert found.content == b"new"
    assert len(set(found.jobs)) == 2
    assert store.result_totals().entries == 1


def test_a_result_goes_with_the_last_job_that_it_belongs_to(jobs: Jobs, store: Store) -> None:
    first = completed(jobs, "one")
    second = jobs.queued()
    assert store.complete_queued(second.id, answer_of("one"))
    store.delete(first.id)
    assert known(store, "one") is not None
    store.delete(second.id)
    assert known(store, "one") is None
    assert store.result_totals().size_bytes == 0


def test_nothing_is_kept_for_a_job_that_was_deleted(jobs: Jobs, store: Store) -> None:
    job = completed(jobs, "one")
    store.delete(job.id)
    assert not store.keep_result(job.id, result_of("chunk"))
    assert known(store, "chunk") is None


def test_a_chunk_is_kept_while_its_job_runs(jobs: Jobs, store: Store) -> None:
    claim = jobs.running()
    assert store.keep_result(claim.job_id, result_of("chunk"))
    assert known(store, "chunk") is not None
    store.fail(claim, ERROR, {})
    store.delete(claim.job_id)
    assert known(store, "chunk") is None


def test_a_recording_is_forgotten_whoever_uses_it(jobs: Jobs, store: Store) -> None:
    completed(jobs, "one", blob_sha256=BLOB)
    other = jobs.queued()
    store.complete_queued(other.id, answer_of("one"))
    completed(jobs, "two")
    assert list(store.forget_results_of(BLOB)) == ["one"]
    assert known(store, "one") is None
    assert known(store, "two") is not None
    assert store.transcript(other.id).text == "Known."


def test_all_is_forgotten_and_the_jobs_stay(jobs: Jobs, store: Store) -> None:
    kept = [completed(jobs, key) for key in ("one", "two")]
    assert store.clear_results() == 2
    assert store.clear_results() == 0
    assert [store.transcript(job.id).text for job in kept] == ["All of it."] * 2


def test_what_was_not_used_for_longest_makes_room(jobs: Jobs, store: Store, clock: Clock) -> None:
    for key in ("one", "two", "three"):
        clock.now += 1
        completed(jobs, key, content=b"x" * 100)
    clock.now += 1
    store.complete_queued(jobs.queued().id, answer_of("one"))
    assert store.trim_results(max_bytes=200, made_after=LONG_AGO) == 1
    assert known(store, "two") is None
    assert known(store, "one") is not None
    assert store.result_totals().size_bytes == 200


def test_what_is_too_old_is_deleted(jobs: Jobs, store: Store, clock: Clock) -> None:
    completed(jobs, "one")
    clock.now += 100
    completed(jobs, "two")
    assert store.trim_results(max_bytes=10**6, made_after=clock.now - 50) == 1
    assert known(store, "one") is None


def test_many_results_are_deleted_in_turn(jobs: Jobs, store: Store, clock: Clock) -> None:
    claim = jobs.running()
    for number in range(250):
        clock.now += 1
        store.keep_result(claim.job_id, result_of(f"chunk {number}"))
    fits = 30 * len(b"text")
    assert store.trim_results(max_bytes=fits, made_after=LONG_AGO) == 220
    assert store.result_totals().size_bytes == fits
    assert known(store, "chunk 249") is not None
    assert store.trim_results(max_bytes=fits, made_after=clock.now - 10) == 20
    assert store.clear_results() == 10


def test_the_most_used_results_come_first(jobs: Jobs, store: Store) -> None:
    for key in ("one", "two", "three"):
        completed(jobs, key)
    for key in ("two", "two", "three"):
        store.complete_queued(jobs.queued().id, answer_of(key))
    found = store.most_used_results(limit=2, max_bytes=1000, made_after=LONG_AGO)
    assert [result.key for result in found] == ["two", "three"]
    found = store.most_used_results(limit=2, max_bytes=len(b"text"), made_after=LONG_AGO)
    assert [result.key for result in found] == ["two"]


def test_a_waiting_job_is_answered_with_what_is_known(jobs: Jobs, store: Store) -> None:
    completed(jobs, "one")
    job = jobs.queued()
    assert store.complete_queued(job.id, answer_of("one"))
    ended = store.get(job.id)
    assert ended.status is JobStatus.COMPLETED
    assert ended.is_cached
    assert (ended.percent, ended.duration_s, ended.language) == (100.0, 60.0, "en")
    assert ended.started_at is not None
    assert ended.finished_at is not None
    assert ended.revision > job.revision
    assert store.transcript(job.id).text == "Known."


def test_a_job_that_no_longer_waits_is_not_answered(jobs: Jobs, store: Store) -> None:
    claim = jobs.running()
    assert not store.complete_queued(claim.job_id, answer_of("one"))
    assert store.get(claim.job_id).status is JobStatus.RUNNING


def test_a_running_job_is_answered_by_its_claim_alone(jobs: Jobs, store: Store) -> None:
    claim = jobs.planned()
    lost = Claim(job_id=claim.job_id, attempt=claim.attempt + 1, owner=claim.owner)
    with pytest.raises(ClaimLost):
        store.complete_known(lost, answer_of("one"))
    store.complete_known(claim, answer_of("one"))
    assert store.get(claim.job_id).status is JobStatus.COMPLETED
    assert store.plan(claim.job_id).chunks == []


def test_what_a_recording_is_decoded_to_goes_with_its_last_job(jobs: Jobs, store: Store) -> None:
    claim = jobs.running(blob_sha256=BLOB)
    notes = ResultNotes(decoded=decoded_as(BLOB))
    store.complete(claim, transcript_of("All of it."), {}, notes)
    other = jobs.queued(blob_sha256=BLOB)
    assert store.find_decoded(BLOB, "all") == decoded_as(BLOB)
    assert store.find_decoded(BLOB, "a part") is None
    store.delete(claim.job_id)
    assert store.find_decoded(BLOB, "all") is not None
    store.cancel(other.id)
    store.delete(other.id)
    assert store.find_decoded(BLOB, "all") is None


def test_facts_are_noted_by_name(open_store: Callable[[], Store]) -> None:
    open_store().note_fact("sha256 base.pt", "one")
    open_store().note_fact("sha256 base.pt", "two")
    assert open_store().fact("sha256 base.pt") == "two"
    assert open_store().fact("another") is None


def claimed(store: Store) -> str | None:
    job = store.claim(lane=Lane.MAIN, owner="boot-1", express_max_s=60.0, equals_wait=True)
    return job and job.id


def test_an_equal_job_waits_until_the_first_has_ended(jobs: Jobs, store: Store) -> None:
    first, second = jobs.queued(blob_sha256=BLOB), jobs.queued(blob_sha256=BLOB)
    other = jobs.queued()
    assert claimed(store) == first.id
    assert claimed(store) == other.id
    assert claimed(store) is None
    assert store.get(second.id).status is JobStatus.QUEUED
    claim = Claim(job_id=first.id, attempt=1, owner="boot-1")
    store.fail(claim, ERROR, {})
    assert claimed(store) == second.id


def test_an_equal_job_of_a_higher_priority_does_not_wait(jobs: Jobs, store: Store) -> None:
    first = jobs.queued(blob_sha256=BLOB, priority=Priority.LOW)
    assert claimed(store) == first.id
    urgent = jobs.queued(blob_sha256=BLOB, priority=Priority.HIGH)
    jobs.queued(blob_sha256=BLOB, priority=Priority.LOW)
    assert claimed(store) == urgent.id
    assert claimed(store) is None


@pytest.mark.parametrize(
    "options",
    [
        TranscribeOptions(model="demo", language="de"),
        TranscribeOptions(model="demo", use_cache=False),
    ],
)
def test_a_job_that_asks_for_something_else_does_not_wait(
    jobs: Jobs, store: Store, options: TranscribeOptions
) -> None:
    jobs.queued(blob_sha256=BLOB)
    other = jobs.queued(blob_sha256=BLOB, options=options)
    assert claimed(store) is not None
    assert claimed(store) == other.id


def test_jobs_that_are_computed_anew_do_not_wait_for_each_other(jobs: Jobs, store: Store) -> None:
    anew = TranscribeOptions(model="demo", use_cache=False)
    wanted = {jobs.queued(blob_sha256=BLOB, options=anew).id for _ in range(2)}
    assert {claimed(store), claimed(store)} == wanted


def test_equal_jobs_of_a_dead_process_run_one_after_the_other(jobs: Jobs, store: Store) -> None:
    pair = [jobs.queued(blob_sha256=BLOB).id for _ in range(2)]
    assert claimed(store) == pair[0]
    store.reclaim(owner="boot-2")
    assert claimed(store) == pair[0]
    assert claimed(store) is None


def test_a_job_may_be_added_so_that_no_worker_takes_it_yet(
    jobs: Jobs, store: Store, clock: Clock
) -> None:
    job = store.add(jobs.new(run_at=clock.now + 10), max_queued=MANY)
    assert claimed(store) is None
    clock.now += 10
    assert claimed(store) == job.id
