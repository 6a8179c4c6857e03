"""Two tiers as one: what is found where, what a fault means, and what is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.makers import Clock, Jobs, transcript_of
from voice_transcriber.results.cache import CacheOptions, ResultCache
from voice_transcriber.results.contents import (
    KnownChunk,
    KnownWindow,
    packed_chunk,
    packed_transcript,
)
from voice_transcriber.store.results import ResultNotes, StoredResult
from voice_transcriber.store.rows import transcript_to_column
from voice_transcriber.store.sqlite import SqliteStore
from voice_transcriber.transcript.model import Segment, Transcript

OPTIONS = CacheOptions(
    enabled=True, entries=10, ttl_s=60, on_disk=True, disk_bytes=10**6, disk_ttl_s=1000
)
TRANSCRIPT = transcript_of("Known text, with umlauts: äöü.")
CHUNK = KnownChunk(
    language="en",
    language_probability=0.8,
    windows=[
        KnownWindow(
            start=0,
            end=16_000,
            speech_end=15_000,
            language=None,
            segments=(Segment(start_ms=0, end_ms=900, text=" One."),),
        )
    ],
)
Open = Callable[..., ResultCache]


def text_in(cache: ResultCache, key: str) -> Transcript | None:
    known = cache.transcript(key)
    return known and known.transcript


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "jobs.sqlite3", clock=clock)
    yield store
    store.close()


@pytest.fixture
def jobs(store: SqliteStore) -> Jobs:
    return Jobs(store)


@pytest.fixture
def cache(store: SqliteStore, clock: Clock) -> Open:
    def opened(**changes: object) -> ResultCache:
        return ResultCache(store, replace(OPTIONS, **changes), clock=clock)

    return opened


def completed(jobs: Jobs, cache: ResultCache, key: str) -> str:
    """A job that left its transcript in every tier."""
    claim, deletions = jobs.running(), cache.deletions
    made = packed_transcript(key, TRANSCRIPT)
    notes = ResultNotes(made=made if cache.is_on_disk else None)
    jobs.store.complete(claim, TRANSCRIPT, {}, notes)
    cache.remember(made, claim.job_id, deletions=deletions)
    return claim.job_id


def test_a_transcript_comes_back_as_it_was(jobs: Jobs, cache: Open) -> None:
    one = cache()
    completed(jobs, one, "key")
    assert text_in(one, "key") == TRANSCRIPT
    assert one.transcript("another") is None


def test_a_restart_forgets_nothing_that_is_on_disk(jobs: Jobs, cache: Open) -> None:
    completed(jobs, cache(), "key")
    again = cache()
    assert again.stats().memory.entries == 0
    assert text_in(again, "key") == TRANSCRIPT
    assert again.stats().memory.entries == 1


def test_in_memory_only_nothing_is_stored(jobs: Jobs, cache: Open) -> None:
    one = cache(on_disk=False)
    job_id = completed(jobs, one, "key")
    one.keep_chunk(job_id, "chunk", CHUNK)
    assert text_in(one, "key") == TRANSCRIPT
    assert one.chunk("chunk") == CHUNK
    assert jobs.store.result_totals().entries == 0
    assert cache(on_disk=False).transcript("key") is None


def test_what_was_stored_goes_when_it_is_no_longer_wanted_on_disk(
    jobs: Jobs, cache: Open, store: SqliteStore
) -> None:
    completed(jobs, cache(), "key")
    cache(on_disk=False).tidy()
    assert store.result_totals().entries == 0


def test_off_it_keeps_and_finds_nothing(jobs: Jobs, cache: Open) -> None:
    completed(jobs, cache(), "key")
    off = cache(enabled=False)
    off.keep_chunk("job-0", "chunk", CHUNK)
    assert off.transcript("key") is None
    assert off.chunk("chunk") is None


def test_a_transcript_comes_back_as_it_is_written(jobs: Jobs, cache: Open) -> None:
    one = cache()
    completed(jobs, one, "key")
    known = one.transcript("key")
    assert known is not None
    assert known.content == transcript_to_column(TRANSCRIPT)
    assert known.lasting(TRANSCRIPT.duration_ms) is known
    longer = known.lasting(90_000)
    assert longer.transcript == replace(TRANSCRIPT, duration_ms=90_000)
    assert longer.content == transcript_to_column(longer.transcript)


def test_a_chunk_comes_back_as_it_was(jobs: Jobs, cache: Open) -> None:
    claim = jobs.running()
    cache().keep_chunk(claim.job_id, "chunk", CHUNK)
    assert cache().chunk("chunk") == CHUNK


def test_it_is_warmed_with_the_most_used(jobs: Jobs, cache: Open) -> None:
    for key in ("a", "b", "c"):
        completed(jobs, cache(), key)
    warm = cache(entries=2)
    warm.warm()
    assert warm.stats().memory.entries == 2


def test_nothing_is_left_of_a_deleted_job(jobs: Jobs, cache: Open, store: SqliteStore) -> None:
    one = cache()
    job_id = completed(jobs, one, "key")
    store.delete(job_id)
    one.forget_job(job_id)
    assert one.transcript("key") is None
    assert one.stats().disk.entries == 0


def test_a_job_that_is_deleted_while_it_is_remembered_leaves_nothing(
    jobs: Jobs, cache: Open, store: SqliteStore
) -> None:
    one = cache()
    claim, deletions = jobs.running(), one.deletions
    made = packed_transcript("key", TRANSCRIPT)
    store.complete(claim, TRANSCRIPT, {}, ResultNotes(made=made))
    store.delete(claim.job_id)
    one.forget_job(claim.job_id)
    one.remember(made, claim.job_id, deletions=deletions)
    assert one.transcript("key") is None


def test_a_recording_is_forgotten_in_both_tiers(jobs: Jobs, cache: Open) -> None:
    one = cache()
    job = jobs.store.get(completed(jobs, one, "key"))
    assert one.forget_recording(job.blob_sha256) == 1
    assert one.transcript("key") is None
    assert one.forget_recording(job.blob_sha256) == 0


def test_all_is_cleared(jobs: Jobs, cache: Open) -> None:
    one = cache()
    completed(jobs, one, "a")
    completed(jobs, one, "b")
    assert one.clear() == 2
    assert one.transcript("a") is None


def _with_other_bytes(result: StoredResult) -> StoredResult:
    return replace(result, content=result.content[:-1] + b"\x00")


def _of_another_shape(result: StoredResult) -> StoredResult:
    return packed_chunk(result.key, CHUNK)


@pytest.mark.parametrize("damaged", [_with_other_bytes, _of_another_shape])
def test_what_is_damaged_is_dropped(
    jobs: Jobs, cache: Open, store: SqliteStore, damaged: Callable[[StoredResult], StoredResult]
) -> None:
    claim = jobs.running()
    store.keep_result(claim.job_id, damaged(packed_transcript("key", TRANSCRIPT)))
    assert cache().transcript("key") is None
    assert store.result_totals().entries == 0


def test_a_store_that_fails_is_a_miss(
    jobs: Jobs, cache: Open, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    one = cache()
    job_id = jobs.running().job_id
    store.close()
    assert one.transcript("key") is None
    one.keep_chunk(job_id, "chunk", CHUNK)
    assert len(caplog.records) == 2


def test_rates(cache: Open) -> None:
    one = cache()
    assert one.stats().hit_rate is None
    one.hits, one.misses = 1, 3
    assert one.stats().hit_rate == 0.25
