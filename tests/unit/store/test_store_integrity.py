"""Sound and damaged databases are told apart, and copies are proved."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.contract.makers import Jobs
from voice_transcriber.errors import DatabaseDamaged, StorageRefuses
from voice_transcriber.store.backups import Backups, back_up, made_at
from voice_transcriber.store.connections import translated
from voice_transcriber.store.integrity import damage_of
from voice_transcriber.store.repair import delete_old_quarantines, repair_database
from voice_transcriber.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path)) as store:
        for _ in range(50):
            Jobs(store).completed(id=os.urandom(8).hex())
        yield store


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    return Backups(tmp_path / "backups")


def make_if_due(backups: Backups, path: Path, now: datetime) -> Path | None:
    return backups.make_if_due(path, now=now, keep=3, interval_s=3600)


def test_a_database_in_use_is_sound_with_its_log(store: SqliteStore, path: Path) -> None:
    assert path.with_name("jobs.db-wal").stat().st_size
    assert damage_of(path) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"x" * 9000, "not a database"),
        (b"SQLite format 3\0\x10\0\x09", "not a data"),
    ],
)
def test_what_is_no_database_is_told(path: Path, content: bytes, reason: str) -> None:
    path.write_bytes(content)
    assert reason in str(damage_of(path))


def test_an_overwritten_page_is_found(store: SqliteStore, path: Path) -> None:
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4096))
    assert damage_of(path)


def test_an_altered_transcript_is_found_at_the_check_and_at_reading(
    store: SqliteStore, path: Path
) -> None:
    (job, *_) = store.page(limit=1).jobs
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE transcripts SET content = replace(content, 'All', 'Not')")
    assert "was altered" in str(damage_of(path))
    with pytest.raises(DatabaseDamaged):
        store.transcript(job.id)
    assert store.problem


@pytest.mark.parametrize("number", [errno.EROFS, errno.EIO, errno.EACCES, errno.EMFILE])
def test_a_disk_that_refuses_is_no_damage(number: int) -> None:
    with pytest.raises(StorageRefuses), translated():
        raise OSError(number, os.strerror(number))


def test_a_folder_in_the_place_of_the_database_refuses(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StorageRefuses), translated():
        sqlite3.connect(path).execute("PRAGMA schema_version")


def test_a_copy_is_whole_private_and_needs_no_files_beside_it(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copy" / "jobs.db"
    target.parent.mkdir()
    back_up(path, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert damage_of(target) is None
    assert list(target.parent.iterdir()) == [target]
    with closing(SqliteStore(target)) as copy:
        assert copy.statuses() == store.statuses()
        assert copy.database_id == store.database_id


def test_copies_are_made_when_they_are_due_and_the_oldest_go(
    store: SqliteStore, path: Path, backups: Backups
) -> None:
    for minutes in range(0, 360, 20):
        make_if_due(backups, path, NOW + timedelta(minutes=minutes))
    times = [made_at(backup) for backup in backups.all()]
    assert times == [NOW + timedelta(hours=hours) for hours in (5, 4, 3)]


def test_a_clock_that_was_set_back_stops_no_copies(
    store: SqliteStore, path: Path, backups: Backups
) -> None:
    make_if_due(backups, path, NOW + timedelta(days=9000))
    assert make_if_due(backups, path, NOW)


def test_no_copies_are_kept_when_none_are_wanted(
    store: SqliteStore, path: Path, backups: Backups
) -> None:
    make_if_due(backups, path, NOW)
    later = NOW + timedelta(days=1)
    assert backups.make_if_due(path, now=later, keep=0, interval_s=1) is None
    assert backups.all() == []


def test_a_damaged_database_is_not_copied_over_a_good_copy(
    store: SqliteStore, path: Path, backups: Backups
) -> None:
    good = make_if_due(backups, path, NOW)
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))
    with pytest.raises(DatabaseDamaged):
        make_if_due(backups, path, NOW + timedelta(days=1))
    assert backups.all() == [good]
    assert backups.newest_sound() == good


def test_a_repair_keeps_what_it_replaces_for_a_month(
    store: SqliteStore, path: Path, backups: Backups, tmp_path: Path
) -> None:
    good = backups.make(path, now=NOW)
    store.close()
    path.write_bytes(b"garbage")
    quarantine = tmp_path / "quarantine"
    repair = repair_database(path, reason="test", backups=backups, quarantine=quarantine)
    assert repair.restored_from == good
    assert repair.moved_to
    assert (repair.moved_to / "jobs.db").read_bytes() == b"garbage"
    assert damage_of(path) is None
    delete_old_quarantines(quarantine, older_than_s=3600)
    assert repair.moved_to.exists()
    delete_old_quarantines(quarantine, older_than_s=-1)
    assert not repair.moved_to.exists()
