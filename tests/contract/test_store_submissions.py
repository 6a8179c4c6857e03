"""The store: uploads on their way, and submissions that count once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contract.makers import MANY, Clock, Jobs
from voice_transcriber.errors import (
    KeyReused,
    NotFound,
    QueueFull,
    TooManyQueued,
    WrongOffset,
)
from voice_transcriber.job import Job, JobStatus
from voice_transcriber.store.base import Store
from voice_transcriber.store.submissions import ACTIVE_S, REMEMBERED_S
from voice_transcriber.submission import NewUpload, Once, RequestKey, Upload

LIFE_S = 1000.0
KEY = RequestKey(scope="", key="first try", fingerprint="a")


@pytest.fixture
def announce(store: Store, clock: Clock) -> Callable[..., Upload]:
    def make(upload_id: str = "one", **changes: object) -> Upload:
        values: dict[str, object] = {
            "id": upload_id,
            "size_bytes": 100,
            "metadata": "filename QQ==",
            "submitter": None,
            "expires_at": clock.now + LIFE_S,
        }
        limits = {"max_open": 9, "max_of_submitter": 9, "key": None}
        for name in limits.keys() & changes.keys():
            limits[name] = changes.pop(name)  # type: ignore[assignment]
        return store.add_upload(NewUpload(**values | changes), **limits)  # type: ignore[arg-type]

    return make


def advance(store: Store, start: int, end: int, clock: Clock) -> Upload:
    expires_at = clock.now + LIFE_S
    return store.advance_upload("one", from_bytes=start, to_bytes=end, expires_at=expires_at)


def add(store: Store, jobs: Jobs, once: Once | None = None, **changes: object) -> Job:
    limits = {"max_queued": MANY, "max_of_submitter": 2}
    return store.add(jobs.new(**changes), **limits, once=once)


def test_an_announced_upload_has_no_bytes(store: Store, announce: Callable[..., Upload]) -> None:
    upload = announce()
    assert store.upload("one") == upload
    assert (upload.offset_bytes, upload.sha256, upload.job_id) == (0, None, None)
    assert not upload.is_whole


def test_an_offset_moves_only_from_where_it_is(
    store: Store, announce: Callable[..., Upload], clock: Clock
) -> None:
    announce()
    assert advance(store, 0, 40, clock).offset_bytes == 40
    with pytest.raises(WrongOffset):
        advance(store, 0, 60, clock)
    assert advance(store, 40, 100, clock).is_whole


def test_each_byte_gives_new_time(
    store: Store, announce: Callable[..., Upload], clock: Clock
) -> None:
    announce()
    clock.now += LIFE_S - 1
    advance(store, 0, 1, clock)
    clock.now += LIFE_S - 1
    assert store.upload("one").offset_bytes == 1
    assert store.expired_uploads() == []


def test_an_expired_upload_is_not_found_and_can_be_deleted(
    store: Store, announce: Callable[..., Upload], clock: Clock
) -> None:
    upload = announce()
    clock.now += LIFE_S
    with pytest.raises(NotFound):
        store.upload("one")
    with pytest.raises(NotFound):
        advance(store, 0, 1, clock)
    assert store.expired_uploads() == [upload]
    assert store.delete_upload("one") == upload
    assert store.upload_ids() == set()
    with pytest.raises(NotFound):
        store.delete_upload("one")


def test_only_so_many_uploads_are_open(
    announce: Callable[..., Upload], store: Store, clock: Clock, jobs: Jobs
) -> None:
    announce("one", max_open=1)
    with pytest.raises(QueueFull):
        announce("two", max_open=1)
    add(store, jobs, Once(upload_id="one"))
    announce("two", max_open=1)


def test_only_so_many_are_of_one_submitter(announce: Callable[..., Upload]) -> None:
    announce("one", submitter="key:a", max_of_submitter=1)
    announce("two", submitter="key:b", max_of_submitter=1)
    announce("three", max_of_submitter=1)
    announce("four", max_of_submitter=1)  # this machine
    with pytest.raises(TooManyQueued):
        announce("five", submitter="key:a", max_of_submitter=1)


def test_bytes_are_awaited_of_uploads_that_move(
    store: Store, announce: Callable[..., Upload], clock: Clock
) -> None:
    announce("one", expires_at=clock.now + 9 * ACTIVE_S)
    announce("two", size_bytes=7, expires_at=clock.now + 9 * ACTIVE_S)
    assert store.awaited_bytes() == 107
    advance(store, 0, 40, clock)
    assert store.awaited_bytes() == 67
    clock.now += ACTIVE_S
    assert store.awaited_bytes() == 0


def test_the_hash_keeps_the_blob_until_there_is_a_job(
    store: Store, announce: Callable[..., Upload], jobs: Jobs
) -> None:
    announce()
    store.set_upload_sha256("one", "ab")
    assert set(store.blobs_in_use()) == {"ab"}
    add(store, jobs, Once(upload_id="one"), blob_sha256="ab")
    assert set(store.blobs_in_use()) == {"ab"}
    store.delete_upload("one")
    assert set(store.blobs_in_use()) == {"ab"}
    with pytest.raises(NotFound):
        store.set_upload_sha256("one", "cd")


def test_of_an_upload_there_is_one_job(
    store: Store, announce: Callable[..., Upload], jobs: Jobs
) -> None:
    announce()
    job = add(store, jobs, Once(upload_id="one"))
    assert add(store, jobs, Once(upload_id="one")) == job
    assert store.page(limit=9).total == 1
    assert store.upload("one").job_id == job.id


def test_an_upload_that_is_gone_has_no_job(store: Store, jobs: Jobs) -> None:
    with pytest.raises(NotFound):
        add(store, jobs, Once(upload_id="nobody"))
    assert store.page(limit=9).total == 0


def test_an_upload_with_a_job_does_not_move(
    store: Store, announce: Callable[..., Upload], jobs: Jobs, clock: Clock
) -> None:
    announce()
    add(store, jobs, Once(upload_id="one"))
    with pytest.raises(WrongOffset):
        advance(store, 0, 1, clock)


def test_a_request_counts_once(store: Store, jobs: Jobs) -> None:
    job = add(store, jobs, Once(key=KEY))
    revision = store.revision
    assert add(store, jobs, Once(key=KEY)).id == job.id
    assert (store.page(limit=9).total, store.revision) == (1, revision)


def test_a_request_that_was_refused_does_not_count(store: Store, jobs: Jobs) -> None:
    with pytest.raises(QueueFull):
        store.add(jobs.new(), max_queued=0, once=Once(key=KEY))
    assert add(store, jobs, Once(key=KEY)).id
    assert store.page(limit=9).total == 1


def test_a_key_stands_for_one_content(store: Store, jobs: Jobs) -> None:
    add(store, jobs, Once(key=KEY))
    other = RequestKey(scope=KEY.scope, key=KEY.key, fingerprint="b")
    with pytest.raises(KeyReused):
        add(store, jobs, Once(key=other))
    assert store.page(limit=9).total == 1


def test_keys_of_two_clients_do_not_meet(store: Store, jobs: Jobs) -> None:
    other = RequestKey(scope="key:b", key=KEY.key, fingerprint="b")
    assert add(store, jobs, Once(key=KEY)).id != add(store, jobs, Once(key=other)).id


def test_a_key_is_forgotten_after_a_day(store: Store, jobs: Jobs, clock: Clock) -> None:
    first = add(store, jobs, Once(key=KEY))
    clock.now += REMEMBERED_S - 1
    store.forget_requests()
    assert add(store, jobs, Once(key=KEY)).id == first.id
    clock.now += 1
    second = add(store, jobs, Once(key=KEY))
    assert second.id != first.id
    store.forget_requests()
    assert add(store, jobs, Once(key=KEY)).id == second.id


def test_the_job_of_a_request_that_was_deleted_is_not_made_anew(store: Store, jobs: Jobs) -> None:
    job = add(store, jobs, Once(key=KEY))
    store.cancel(job.id)
    store.delete(job.id)
    with pytest.raises(NotFound):
        add(store, jobs, Once(key=KEY))


def test_an_announcement_counts_once_too(announce: Callable[..., Upload]) -> None:
    first = announce("one", key=KEY)
    assert announce("two", key=KEY) == first
    with pytest.raises(KeyReused):
        announce("two", key=RequestKey(scope="", key=KEY.key, fingerprint="b"))


def test_an_announcement_that_came_to_nothing_can_be_made_again(
    announce: Callable[..., Upload], store: Store
) -> None:
    announce("one", key=KEY)
    store.delete_upload("one")
    assert announce("two", key=KEY).id == "two"


def test_an_announcement_that_expired_can_be_made_again(
    announce: Callable[..., Upload], store: Store, clock: Clock
) -> None:
    announce("one", key=KEY)
    clock.now += LIFE_S
    assert announce("two", key=KEY).id == "two"
    store.delete_upload("one")
    assert announce("three", key=KEY).id == "two"


def test_an_announcement_whose_job_was_made_is_not_made_again(
    announce: Callable[..., Upload], store: Store, jobs: Jobs
) -> None:
    announce("one", key=KEY)
    add(store, jobs, Once(upload_id="one"))
    store.delete_upload("one")
    with pytest.raises(NotFound):
        announce("two", key=KEY)


def test_a_retry_keeps_to_what_its_submitter_may_have_waiting(store: Store, jobs: Jobs) -> None:
    ended = jobs.cancelled(submitter="key:a")
    others = [add(store, jobs, submitter="key:a") for _ in range(2)]
    with pytest.raises(TooManyQueued):
        store.retry(ended.id, max_queued=MANY, max_of_submitter=2)
    assert store.get(ended.id).status is JobStatus.CANCELLED
    store.cancel(others[0].id)
    assert store.retry(ended.id, max_queued=MANY, max_of_submitter=2).status is JobStatus.QUEUED


def test_a_submitter_has_only_so_many_waiting(store: Store, jobs: Jobs) -> None:
    mine = [add(store, jobs, submitter="key:a") for _ in range(2)]
    with pytest.raises(TooManyQueued):
        add(store, jobs, submitter="key:a")
    add(store, jobs, submitter="key:b")
    for _ in range(3):
        add(store, jobs)  # this machine
    assert store.queued_of("key:a") == 2
    store.cancel(mine[0].id)
    add(store, jobs, submitter="key:a")


def test_all_of_it_outlives_a_restart(
    open_store: Callable[[], Store], announce: Callable[..., Upload], jobs: Jobs, store: Store
) -> None:
    announce()
    job = add(store, jobs, Once(key=KEY, upload_id="one"))
    store.close()
    again = open_store()
    assert again.upload("one").job_id == job.id
    assert add(again, jobs, Once(key=KEY)).id == job.id
