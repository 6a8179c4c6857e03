"""The tier in memory: least recently used, lifetime, and whose an entry is."""

from __future__ import annotations

from tests.contract.makers import Clock
from voice_transcriber.results.memory import MemoryTier
from voice_transcriber.store.results import ResultKind, StoredResult


def result_of(key: str, content: bytes = b"text") -> StoredResult:
    return StoredResult(key=key, kind=ResultKind.FILE, content=content, checksum="")


def tier(clock: Clock, *, entries: int = 3) -> MemoryTier:
    return MemoryTier(entries=entries, ttl_s=10, clock=clock)


def put(memory: MemoryTier, key: str, *jobs: str) -> bool:
    return memory.put(result_of(key), jobs or ("job",), deletions=memory.deletions)


def test_the_least_recently_used_entry_goes_first() -> None:
    memory = tier(Clock())
    for key in ("a", "b", "c"):
        put(memory, key)
    memory.find("a")
    put(memory, "d")
    assert memory.find("b") is None
    assert all(memory.find(key) for key in ("a", "c", "d"))


def test_an_entry_has_its_time() -> None:
    clock = Clock()
    memory = tier(clock)
    put(memory, "a")
    clock.now += 9
    assert memory.find("a")
    clock.now += 1
    assert memory.find("a") is None
    assert memory.totals().entries == 0


def test_what_has_had_its_time_is_dropped_without_being_asked_for() -> None:
    clock = Clock()
    memory = tier(clock)
    put(memory, "a")
    clock.now += 10
    memory.drop_expired()
    assert memory.totals().entries == 0


def test_an_entry_goes_with_its_last_job() -> None:
    memory = tier(Clock())
    put(memory, "a", "first")
    memory.belongs_to("a", "second")
    memory.forget_job("first")
    assert memory.find("a")
    memory.forget_job("second")
    assert memory.find("a") is None


def test_an_entry_that_is_stored_again_keeps_its_jobs() -> None:
    memory = tier(Clock())
    put(memory, "a", "first")
    put(memory, "a", "second")
    memory.forget_job("second")
    assert memory.find("a")


def test_what_was_read_before_a_deletion_does_not_come_in_after_it() -> None:
    memory = tier(Clock())
    before = memory.deletions
    memory.forget_job("job")
    assert not memory.put(result_of("a"), ["job"], deletions=before)
    assert memory.find("a") is None


def test_what_belongs_to_some_jobs_is_dropped_whoever_uses_it() -> None:
    memory = tier(Clock())
    put(memory, "a", "first", "second")
    put(memory, "b", "third")
    assert memory.drop_of(["second"]) == ["a"]
    assert memory.clear() == 1
