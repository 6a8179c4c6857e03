"""Migrations: once each, all or nothing, and a backup first."""

from __future__ import annotations

import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from voice_transcriber.store.library import Database, Migrations
from voice_transcriber.store.migrations import MIGRATIONS, migrate, newest_revision


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite3"


@pytest.fixture
def db(path: Path) -> Iterator[Database]:
    """A database of the first version, with one deletion noted."""
    with closing(Database(path)) as db:
        migrate(db, path)
        db.table("tombstones").insert({"revision": 7, "job_id": "x"})
        yield db


def next_version(*, fails: bool = False) -> Migrations:
    migrations = Migrations(MIGRATIONS.name)

    @migrations(name="m9999_next")
    def add_table(db: Database) -> None:
        db.table("later").create({"id": int}, pk="id")
        if fails:
            raise LookupError("half-way")

    return migrations


def test_a_new_database_needs_no_backup(path: Path) -> None:
    with closing(Database(path)) as db:
        assert migrate(db, path) is None
        assert {"jobs", "chunks", "windows", "transcripts"} <= set(db.table_names())
        assert newest_revision(db) == 0


def test_a_migrated_database_is_left_alone(db: Database, path: Path) -> None:
    before = db.schema
    assert migrate(db, path) is None
    assert db.schema == before
    assert newest_revision(db) == 7


def test_a_backup_is_made_before_a_pending_migration(db: Database, path: Path) -> None:
    backup = migrate(db, path, next_version())
    assert backup == path.with_name("jobs.sqlite3.before-m9999_next")
    assert db.table("later").exists()
    with closing(sqlite3.connect(backup)) as copy:
        assert copy.execute("SELECT revision, job_id FROM tombstones").fetchall() == [(7, "x")]
        assert copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'later'").fetchall() == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such file modes")
def test_a_backup_is_for_its_owner_alone(db: Database, path: Path) -> None:
    backup = migrate(db, path, next_version())
    assert backup is not None
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_a_failed_migration_changes_nothing_and_is_tried_again(db: Database, path: Path) -> None:
    with pytest.raises(LookupError):
        migrate(db, path, next_version(fails=True))
    assert not db.table("later").exists()
    migrate(db, path, next_version())
    assert db.table("later").exists()
    assert not list(path.parent.glob("*.part"))
