"""The record of who did what: written with the change, in a chain that shows a change in it."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.contract.makers import Clock, Jobs
from voice_transcriber.actors import SERVER, act_as
from voice_transcriber.errors import NotFound, WrongState
from voice_transcriber.job import Priority
from voice_transcriber.store.audit import FIRST_HASH, PRUNED, AuditEntry, verify_chain
from voice_transcriber.store.base import Store
from voice_transcriber.store.sqlite import SqliteStore

MANY = 1000


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    yield
    act_as(SERVER)


def told(store: Store) -> list[tuple[str, str, str]]:
    """Oldest first."""
    entries = reversed(store.audit_page(limit=MANY))
    return [(entry.actor, entry.action, entry.subject) for entry in entries]


def entries_of(store: Store) -> list[AuditEntry]:
    return list(reversed(store.audit_page(limit=MANY)))


def test_what_clients_do_is_recorded_in_their_name(store: Store, jobs: Jobs) -> None:
    act_as("key 192.0.2.7")
    job = jobs.queued()
    store.set_priority(job.id, Priority.HIGH)
    store.cancel(job.id)
    store.retry(job.id, max_queued=MANY)
    store.cancel(job.id)
    store.delete(job.id)
    done = ["submit", "priority", "cancel", "retry", "cancel", "delete"]
    assert told(store) == [("key 192.0.2.7", f"job.{action}", job.id) for action in done]


def test_what_is_refused_is_not_recorded(store: Store, jobs: Jobs) -> None:
    job = jobs.completed()
    before = told(store)
    for refused in (
        lambda: store.cancel(job.id),
        lambda: store.set_priority(job.id, Priority.LOW),
        lambda: store.retry(job.id, max_queued=MANY),
        lambda: store.delete("nobody"),
    ):
        with pytest.raises((WrongState, NotFound)):
            refused()
    assert told(store) == before


def test_threads_do_not_act_in_each_others_name(store: Store, jobs: Jobs) -> None:
    def work(name: str) -> None:
        act_as(name)
        for _ in range(10):
            jobs.queued(filename=name)

    threads = [threading.Thread(target=work, args=(f"key 192.0.2.{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    owners = {job.id: job.filename for job in store.page(limit=MANY).jobs}
    assert all(actor == owners[subject] for actor, _, subject in told(store))
    assert [entry.seq for entry in entries_of(store)] == list(range(1, 41))
    assert store.verify_audit().problem is None


def test_notes_are_written_in_their_order_and_survive(
    store: Store, open_store: Callable[[], Store]
) -> None:
    for number in range(200):
        store.note("transcript.read", str(number), by="key 192.0.2.1")
    store.close()
    again = open_store()
    assert [subject for _, _, subject in told(again)] == [str(n) for n in range(200)]
    assert again.verify_audit().entries == 200


def test_after_the_end_a_note_is_nobodys_fault(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.close()
    with caplog.at_level(logging.ERROR):
        store.note("logout", "")
    assert caplog.records == []


def test_pages_begin_with_the_newest(store: Store, jobs: Jobs) -> None:
    ids = [jobs.queued().id for _ in range(5)]
    first = store.audit_page(limit=2)
    assert [entry.subject for entry in first] == [ids[4], ids[3]]
    second = store.audit_page(limit=9, before_seq=first[-1].seq)
    assert [entry.subject for entry in second] == [ids[2], ids[1], ids[0]]


def test_each_entry_follows_the_one_before(store: Store, jobs: Jobs) -> None:
    for _ in range(3):
        jobs.queued()
    entries = entries_of(store)
    assert [entry.prev_hash for entry in entries] == [
        FIRST_HASH,
        *(entry.hash for entry in entries[:-1]),
    ]
    verdict = store.verify_audit()
    assert (verdict.entries, verdict.head, verdict.problem) == (3, entries[-1].hash, None)


def test_an_empty_record_is_whole(store: Store) -> None:
    assert store.verify_audit().problem is None


def test_old_entries_go_and_the_rest_still_verifies(store: Store, jobs: Jobs, clock: Clock) -> None:
    for _ in range(5):
        jobs.queued()
        clock.now += 10
    middle = clock.now - 25
    assert store.prune_audit(before=middle) == 3
    assert [entry.action for entry in entries_of(store)] == ["job.submit", "job.submit", PRUNED]
    assert store.verify_audit().problem is None
    assert store.prune_audit(before=middle) == 0
    clock.now += 100
    store.prune_audit(before=clock.now)
    assert store.verify_audit().problem is None
    assert [entry.seq for entry in entries_of(store)] == [6, 7]


TAMPERED = {
    "a changed entry": ("UPDATE audit SET actor = 'nobody' WHERE seq = 3", "Entry 3 "),
    "a changed time": ("UPDATE audit SET at = at + 1 WHERE seq = 2", "Entry 2 "),
    "a missing entry": ("DELETE FROM audit WHERE seq = 3", "Entry 3 "),
    "a missing start": ("DELETE FROM audit WHERE seq <= 2", "Entries before 3 "),
    "a missing end": ("DELETE FROM audit WHERE seq >= 4", "Entries after 3 "),
    "nothing left": ("DELETE FROM audit", "Entries after 0 "),
    "another order": (
        "UPDATE audit SET subject = (SELECT subject FROM audit AS other WHERE other.seq = 1)"
        " WHERE seq = 2",
        "Entry 2 ",
    ),
}


@pytest.mark.parametrize(("statement", "says"), TAMPERED.values(), ids=TAMPERED)
def test_a_change_by_another_program_is_found(
    store: Store, jobs: Jobs, tmp_path: Path, statement: str, says: str
) -> None:
    for _ in range(5):
        jobs.queued()
    store.close()
    with closing(sqlite3.connect(tmp_path / "jobs.sqlite3")) as database:
        assert verify_chain(database).problem is None
        with database:
            database.execute(statement)
        problem = verify_chain(database).problem
    assert problem is not None
    assert problem.startswith(says)


def test_a_database_of_an_older_version_has_no_record() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        assert verify_chain(database).entries == 0


def test_entries_that_a_lock_kept_out_are_written_later(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, logger="voice_transcriber")
    assert isinstance(store, SqliteStore)
    store._writer.run(lambda transaction: transaction.db.execute("PRAGMA busy_timeout=10"))
    (database,) = tmp_path.rglob("jobs.*3")
    with closing(sqlite3.connect(database, isolation_level=None)) as outside:
        outside.execute("BEGIN IMMEDIATE")
        for subject in ("1", "2"):
            store.note("login", subject)
            assert store.answers(timeout_s=10)
    store.prune_audit(before=0)
    assert [subject for _, _, subject in told(store)] == ["1", "2"]
