"""The connections of the SQLite store: what is set on them, and what their errors become."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from voice_transcriber.errors import DiskFull, StorageRefuses
from voice_transcriber.store.connections import Readers
from voice_transcriber.store.library import Database
from voice_transcriber.store.writer import Transaction, Writer

TEXT = "a sentence that must not stay behind"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a folder? #1%" / "jobs.sqlite3"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    path.parent.mkdir()
    with closing(Writer(path)) as writer:
        yield writer


def pragma(db: Database, name: str) -> object:
    (value,) = db.execute(f"PRAGMA {name}").fetchone()
    return value


def bury(transaction: Transaction, job_id: str) -> None:
    transaction.revision += 1
    transaction.db.table("tombstones").insert({"revision": transaction.revision, "job_id": job_id})


def unbury(transaction: Transaction) -> None:
    transaction.erases = True
    transaction.db.table("tombstones").delete_where()


def traces(path: Path) -> int:
    return sum(file.read_bytes().count(TEXT.encode()) for file in path.parent.iterdir())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),  # FULL: a commit survives a power cut
        ("foreign_keys", 1),
        ("busy_timeout", 10_000),
        ("journal_size_limit", 64 * 1024 * 1024),
        ("trusted_schema", 0),
        ("secure_delete", 1),
    ],
)
def test_the_writer_is_set_for_safety(writer: Writer, name: str, value: object) -> None:
    assert writer.run(lambda transaction: pragma(transaction.db, name)) == value


def test_readers_cannot_write_and_never_checkpoint(writer: Writer, path: Path) -> None:
    readers = Readers(path)
    with readers.snapshot() as db:
        assert pragma(db, "wal_autocheckpoint") == 0
        assert pragma(db, "query_only") == 1
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            db.table("tombstones").insert({"revision": 1, "job_id": "x"})
    readers.close()


def test_a_snapshot_stays_as_it_was(writer: Writer, path: Path) -> None:
    readers = Readers(path)
    with readers.snapshot() as old:
        assert old.table("tombstones").count == 0
        writer.run(lambda transaction: bury(transaction, "x"))
        assert old.table("tombstones").count == 0
    with readers.snapshot() as new:
        assert new.table("tombstones").count == 1
    readers.close()


def test_a_failed_write_changes_nothing_and_raises_in_the_caller(writer: Writer) -> None:
    def fail(transaction: Transaction) -> None:
        bury(transaction, "x")
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        writer.run(fail)
    assert writer.revision == 0
    assert writer.run(lambda transaction: transaction.db.table("tombstones").count) == 0


def test_a_full_database_is_a_full_disk(writer: Writer) -> None:
    def shrink(transaction: Transaction) -> None:
        pages = pragma(transaction.db, "page_count")
        transaction.db.execute(f"PRAGMA max_page_count = {pages}")

    writer.run(shrink)
    with pytest.raises(DiskFull):
        writer.run(lambda transaction: bury(transaction, "x" * 100_000))
    assert writer.revision == 0


def test_a_lock_of_another_program_is_a_disk_that_refuses(writer: Writer, path: Path) -> None:
    writer.run(lambda transaction: transaction.db.execute("PRAGMA busy_timeout=10"))
    with closing(sqlite3.connect(path, isolation_level=None)) as outside:
        outside.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageRefuses, match="Another program"):
            writer.run(lambda transaction: bury(transaction, "x"))
    writer.run(lambda transaction: bury(transaction, "x"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such file modes")
def test_the_files_are_for_their_owner_alone(writer: Writer, path: Path) -> None:
    writer.run(lambda transaction: bury(transaction, "x"))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == dict.fromkeys((path.name, f"{path.name}-wal", f"{path.name}-shm"), 384)


def test_what_was_erased_leaves_no_trace(writer: Writer, path: Path) -> None:
    writer.run(lambda transaction: bury(transaction, TEXT * 1000))
    assert traces(path)
    writer.run(unbury)
    assert not traces(path)


def test_a_trace_in_the_log_goes_when_the_last_outside_reader_has_gone(
    writer: Writer, path: Path
) -> None:
    writer.run(lambda transaction: bury(transaction, TEXT * 1000))
    with closing(sqlite3.connect(path)) as outside:
        outside.execute("BEGIN")
        outside.execute("SELECT COUNT(*) FROM tombstones").fetchone()
        writer.run(unbury)
        assert traces(path)
    writer.run(lambda transaction: bury(transaction, "another"))
    assert not traces(path)


def test_the_store_does_without_numpy() -> None:
    program = (
        "import sys, voice_transcriber.store.sqlite;"
        "assert not {'numpy', 'pandas', 'torch'} & set(sys.modules);"
        "import numpy"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
