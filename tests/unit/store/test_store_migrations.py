"""Migrations: once each, all or nothing, and a backup first."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from voice_transcriber.errors import DatabaseTooNew
from voice_transcriber.store.library import Database, Migrations
from voice_transcriber.store.migrations import MIGRATIONS, migrate, newest_revision

PROJECT = Path(__file__).resolve().parents[3]

KILLED_IN_A_STEP = """
import os, signal, sys
from pathlib import Path
from voice_transcriber.store.connections import open_writer
from voice_transcriber.store.migrations import MIGRATIONS, migrate
path, killed = Path(sys.argv[1]), sys.argv[2]
db = open_writer(path)
MIGRATIONS.apply(db, stop_before=killed)
def record(*_):
    os.kill(os.getpid(), signal.SIGKILL)
MIGRATIONS._record_applied = record
migrate(db, path)
"""


def names() -> list[str]:
    with closing(Database(memory=True)) as empty:
        return [step.name for step in MIGRATIONS.pending(empty)]


STEPS = names()


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
    """All steps that there are, and one more."""
    migrations = copied()

    @migrations(name="m9999_next")
    def add_table(db: Database) -> None:
        db.table("later").create({"id": int}, pk="id")
        if fails:
            raise LookupError("half-way")

    return migrations


def copied() -> Migrations:
    migrations = Migrations(MIGRATIONS.name)
    with closing(Database(memory=True)) as empty:
        for step in MIGRATIONS.pending(empty):
            migrations(name=step.name)(step.fn)
    return migrations


def test_a_database_of_a_newer_version_is_refused(db: Database, path: Path) -> None:
    migrate(db, path, next_version())
    with pytest.raises(DatabaseTooNew, match="m9999_next") as caught:
        migrate(db, path)
    assert "newer version" in caught.value.remedy
    assert db.table("later").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_is_killed_half_way_is_ended_by_the_next_start(
    tmp_path: Path, step: str
) -> None:
    """Killed between the statements of a step and its note; nothing of it must stay."""
    path = tmp_path / "jobs.sqlite3"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_IN_A_STEP, str(path), step], cwd=PROJECT, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    with closing(Database(path)) as db:
        assert step not in {applied.name for applied in MIGRATIONS.applied(db)}
        migrate(db, path)
        assert MIGRATIONS.pending(db) == []
        assert db.schema == schema_of_a_new_one(tmp_path)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def schema_of_a_new_one(folder: Path) -> str:
    with closing(Database(folder / "new.sqlite3")) as db:
        migrate(db, folder / "new.sqlite3")
        return db.schema


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
