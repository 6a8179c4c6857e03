"""What lists show: pages, search, counts, and what changed since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.contract.makers import ERROR, PROGRESS, Jobs, transcript_of
from voice_transcriber.errors import NotFound, WrongState
from voice_transcriber.job import Claim, JobStatus, Priority, TranscribeOptions
from voice_transcriber.store.base import Store

# Pages


def test_pages_are_newest_first_and_follow_each_other(store: Store, jobs: Jobs) -> None:
    ids = [jobs.queued().id for _ in range(5)]
    first = store.page(limit=2)
    second = store.page(limit=2, before_seq=first.next_cursor)
    third = store.page(limit=2, before_seq=second.next_cursor)
    shown = [job.id for page in (first, second, third) for job in page.jobs]
    assert shown == ids[::-1]
    assert [page.total for page in (first, second, third)] == [5, 5, 5]
    assert third.next_cursor is None


def test_a_page_that_ends_with_the_list_has_no_cursor(store: Store, jobs: Jobs) -> None:
    jobs.queued()
    jobs.queued()
    assert store.page(limit=2).next_cursor is None
    assert store.page(limit=2, search="nothing").jobs == []


def test_a_page_shows_the_asked_states_only(store: Store, jobs: Jobs) -> None:
    failed, completed = jobs.failed(), jobs.completed()
    jobs.queued()
    page = store.page(limit=10, statuses=[JobStatus.COMPLETED, JobStatus.FAILED])
    assert page.jobs == [completed, failed]
    assert page.total == 2
    assert store.page(limit=10, statuses={JobStatus.CANCELLED}).total == 0


@pytest.mark.parametrize(
    ("filename", "search"),
    [
        ("Team MEETING.mp3", "meeting"),
        ("team meeting.mp3", "MEET"),
        ("ÄRZTE.wav", "ärzte"),
        ("A\u0308rzte.wav", "ärzte"),  # as macOS writes it
        ("100%.mp3", "0%."),
        ("a_b.mp3", "a_b"),
        ('it\'s "so".mp3', "'s \"s"),
        ("*?[x].mp3", "*?["),
    ],
)
def test_search_finds_a_literal_part_of_the_name(
    store: Store, jobs: Jobs, filename: str, search: str
) -> None:
    job = jobs.queued(filename=filename)
    assert store.page(limit=10, search=search).jobs == [job]


@pytest.mark.parametrize("search", ["%", "_", "*", "a_c", "a%c", "' OR 1=1 --", "[a-z]", "\\"])
def test_search_has_no_wildcards(store: Store, jobs: Jobs, search: str) -> None:
    jobs.queued(filename="abc.mp3")
    assert store.page(limit=10, search=search).total == 0


def test_search_and_state_narrow_together(store: Store, jobs: Jobs) -> None:
    failed = jobs.failed(filename="talk.mp3")
    jobs.queued(filename="talk.mp3")
    jobs.cancelled(filename="song.mp3")
    page = store.page(limit=1, statuses=[JobStatus.FAILED, JobStatus.CANCELLED], search="talk")
    assert (page.jobs, page.total, page.next_cursor) == ([failed], 1, None)


def test_counts_name_every_state(store: Store, jobs: Jobs) -> None:
    jobs.failed()
    jobs.completed()
    jobs.running()
    jobs.queued()
    jobs.queued()
    assert store.counts() == {
        JobStatus.QUEUED: 2,
        JobStatus.RUNNING: 1,
        JobStatus.COMPLETED: 1,
        JobStatus.FAILED: 1,
        JobStatus.CANCELLED: 0,
    }


def test_speeds_are_the_work_for_each_models_audio(store: Store, jobs: Jobs) -> None:
    """A long recording counts for more than a clip."""
    for model, own_s, audio_s in [("base", 30.0, 3600.0), ("base", 6.0, 10.0), ("tiny", 1.0, 10.0)]:
        claim = jobs.running(options=TranscribeOptions(model=model))
        store.complete(claim, transcript_of("x"), {"own_s": own_s, "audio_s": audio_s})
    jobs.completed(options=TranscribeOptions(model="small"))  # its figures were not measured
    named = jobs.running(options=TranscribeOptions(model="tiny", engine="faster-whisper"))
    store.complete(named, transcript_of("x"), {"own_s": 7.0, "audio_s": 10.0})
    failed = jobs.running(options=TranscribeOptions(model="medium"))
    store.fail(failed, ERROR, {"own_s": 5.0, "audio_s": 10.0})
    assert store.speeds() == {"base": pytest.approx(36 / 3610), "tiny": pytest.approx(0.1)}


# Priority


def test_a_changed_priority_changes_the_order(store: Store, jobs: Jobs) -> None:
    first, second = jobs.queued(), jobs.queued()
    start = store.revision
    changed = store.set_priority(second.id, Priority.HIGH)
    assert changed.priority is Priority.HIGH
    assert store.queue_order(limit=9) == [second.id, first.id]
    assert [job.id for job in store.changes(since=start, limit=9).jobs] == [second.id]
    store.set_priority(second.id, Priority.LOW)
    assert store.queue_order(limit=9) == [first.id, second.id]


@pytest.mark.parametrize("lead", ["completed", "failed", "cancelled", "running"])
def test_only_a_waiting_job_changes_its_priority(store: Store, jobs: Jobs, lead: str) -> None:
    found = getattr(jobs, lead)()
    job_id = found.job_id if isinstance(found, Claim) else found.id
    with pytest.raises(WrongState):
        store.set_priority(job_id, Priority.HIGH)
    assert store.get(job_id).priority is Priority.NORMAL


def test_the_priority_of_an_unknown_job_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.set_priority("nothing", Priority.HIGH)


# The end that is expected


def test_a_running_job_tells_when_it_will_probably_end(store: Store, jobs: Jobs) -> None:
    claim = jobs.running()
    store.progress(claim, replace(PROGRESS, ends_at=5_000.0))
    assert store.get(claim.job_id).ends_at == 5_000.0
    assert store.get(claim.job_id).remaining_s(now=4_990.0) == 10.0
    store.release(claim)
    assert store.get(claim.job_id).ends_at is None


# Changes


def test_changes_come_once_and_in_their_order(store: Store, jobs: Jobs) -> None:
    first, second = jobs.queued(), jobs.queued()
    start = store.revision
    jobs.next()
    news = store.changes(since=start, limit=10)
    assert [job.id for job in news.jobs] == [first.id]
    assert news.revision == store.revision
    assert not news.reset
    assert store.changes(since=news.revision, limit=10).jobs == []
    assert [job.id for job in store.changes(since=0, limit=10).jobs] == [second.id, first.id]


def test_many_changes_come_in_parts_and_none_is_lost(store: Store, jobs: Jobs) -> None:
    ids = [jobs.queued().id for _ in range(5)]
    gone = jobs.cancelled()
    store.delete(gone.id)
    since = 0
    seen: list[str] = []
    deleted: list[str] = []
    for _ in range(3):
        news = store.changes(since=since, limit=2)
        since = news.revision
        seen += [job.id for job in news.jobs]
        deleted += news.deleted
    assert seen == ids
    assert deleted == [gone.id]
    assert since == store.revision


def test_jobs_changed_in_one_write_have_revisions_of_their_own(store: Store, jobs: Jobs) -> None:
    ids = {jobs.running().job_id, jobs.running().job_id}
    start = store.revision
    assert store.reclaim(owner="boot-2") == 2
    first = store.changes(since=start, limit=1)
    second = store.changes(since=first.revision, limit=1)
    assert {first.jobs[0].id, second.jobs[0].id} == ids


def test_a_deletion_is_told_to_those_who_knew_the_job(store: Store, jobs: Jobs) -> None:
    job = jobs.cancelled()
    store.delete(job.id)
    news = store.changes(since=job.revision, limit=10)
    assert (list(news.deleted), list(news.jobs)) == ([job.id], [])
    assert store.changes(since=news.revision, limit=10).deleted == []


@pytest.mark.parametrize("since", [-1, 99])
def test_an_unknown_revision_asks_for_a_new_start(store: Store, jobs: Jobs, since: int) -> None:
    jobs.queued()
    news = store.changes(since=since, limit=10)
    assert news.reset
    assert (news.revision, len(news.jobs)) == (store.revision, 0)


def test_what_changes_nothing_leaves_the_revision_alone(store: Store, jobs: Jobs) -> None:
    job = jobs.completed()
    revision = store.revision
    with pytest.raises(WrongState):
        store.cancel(job.id)
    assert jobs.next() is None
    assert not store.set_probe(job.id, duration_s=1.0)
    assert store.revision == revision


def test_the_revision_goes_on_after_a_restart(
    store: Store, jobs: Jobs, open_store: Callable[[], Store]
) -> None:
    job = jobs.cancelled()
    store.delete(job.id)
    revision = store.revision
    store.close()
    assert open_store().revision == revision > 0
