"""The schema, as numbered steps that are applied once each, in a transaction."""

from __future__ import annotations

import glob
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from voice_transcriber.store.library import Database, Migrations

MIGRATIONS = Migrations("voice_transcriber")

_BEFORE = ".before-"  # between the names of a database and of the step that was to come


@MIGRATIONS()
def m0001_jobs(db: Database) -> None:
    """Jobs with their plan, their transcripts, and what was deleted.

    `queued_at` is when a user last put the job into the queue; `search_key` is
    the file name as job.search_key folds it. A tombstone's number grows by one,
    so a first number above 1 tells that older tombstones are gone.
    """
    db.executescript("""
        CREATE TABLE jobs (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            revision INTEGER NOT NULL UNIQUE,
            status TEXT NOT NULL,
            filename TEXT NOT NULL,
            search_key TEXT NOT NULL,
            blob_sha256 TEXT NOT NULL,
            size_bytes INTEGER NOT NULL,
            options TEXT NOT NULL,
            priority INTEGER NOT NULL,
            created_at REAL NOT NULL,
            queued_at REAL NOT NULL,
            started_at REAL,
            finished_at REAL,
            run_at REAL NOT NULL DEFAULT 0,
            owner TEXT,
            attempt INTEGER NOT NULL DEFAULT 0,
            failures INTEGER NOT NULL DEFAULT 0,
            cancel_requested INTEGER NOT NULL DEFAULT 0,
            duration_s REAL,
            language TEXT,
            language_probability REAL,
            stage TEXT NOT NULL DEFAULT 'waiting',
            stage_percent REAL,
            percent REAL NOT NULL DEFAULT 0,
            text_tail TEXT NOT NULL DEFAULT '',
            error TEXT,
            performance TEXT NOT NULL DEFAULT '{}'
        ) STRICT;
        CREATE INDEX jobs_by_status ON jobs (status, priority);
        CREATE INDEX jobs_by_end ON jobs (finished_at) WHERE finished_at IS NOT NULL;
        CREATE INDEX jobs_by_blob ON jobs (blob_sha256);

        CREATE TABLE chunks (
            job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            "index" INTEGER NOT NULL,
            start_sample INTEGER NOT NULL,
            end_sample INTEGER NOT NULL,
            language TEXT,
            gain REAL NOT NULL,
            PRIMARY KEY (job_id, "index")
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE windows (
            job_id TEXT NOT NULL,
            start_sample INTEGER NOT NULL,
            chunk_index INTEGER NOT NULL,
            end_sample INTEGER NOT NULL,
            speech_end_sample INTEGER NOT NULL,
            status TEXT NOT NULL,
            crashes INTEGER NOT NULL,
            segments TEXT,
            PRIMARY KEY (job_id, start_sample),
            FOREIGN KEY (job_id, chunk_index) REFERENCES chunks (job_id, "index")
                ON DELETE CASCADE
        ) STRICT;
        CREATE INDEX windows_by_chunk ON windows (job_id, chunk_index);

        CREATE TABLE transcripts (
            job_id TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
            content TEXT NOT NULL
        ) STRICT;

        CREATE TABLE tombstones (
            number INTEGER PRIMARY KEY,
            revision INTEGER NOT NULL UNIQUE,
            job_id TEXT NOT NULL
        ) STRICT;
    """)


@MIGRATIONS()
def m0002_ends_at(db: Database) -> None:
    """When a running job will probably be done, Unix seconds."""
    db.execute("ALTER TABLE jobs ADD COLUMN ends_at REAL")


@MIGRATIONS()
def m0003_language_of_windows(db: Database) -> None:
    """The language of each window, where a recording has several."""
    db.execute("ALTER TABLE windows ADD COLUMN language TEXT")


@MIGRATIONS()
def m0004_results(db: Database) -> None:
    """Results that serve again, the jobs that they belong to, and how they are found.

    `content` stands last: sums over the columns before it do not read it.
    """
    db.executescript("""
        CREATE TABLE results (
            key TEXT PRIMARY KEY,
            kind TEXT NOT NULL,
            checksum TEXT NOT NULL,
            size_bytes INTEGER NOT NULL,
            made_at REAL NOT NULL,
            used_at REAL NOT NULL,
            uses INTEGER NOT NULL DEFAULT 0,
            content BLOB NOT NULL
        ) STRICT;

        CREATE TABLE result_jobs (
            key TEXT NOT NULL REFERENCES results (key) ON DELETE CASCADE,
            job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            PRIMARY KEY (key, job_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX result_jobs_by_job ON result_jobs (job_id);

        CREATE TABLE decoded (
            blob_sha256 TEXT NOT NULL,
            selection TEXT NOT NULL,
            pcm_sha256 TEXT NOT NULL,
            end_sample INTEGER NOT NULL,
            duration_ms INTEGER NOT NULL,
            PRIMARY KEY (blob_sha256, selection)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE result_facts (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
    """)


@MIGRATIONS()
def m0005_failures_of_chunks(db: Database) -> None:
    """A chunk whose windows are not known yet, its engine errors, and why it was given up."""
    db.executescript("""
        ALTER TABLE chunks ADD COLUMN is_planned INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE chunks ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE chunks ADD COLUMN error TEXT;
    """)


def migrate(db: Database, path: Path, migrations: Migrations = MIGRATIONS) -> Path | None:
    """Apply what is pending; before that, back up a database that holds anything.

    Returns the backup's path, or None when none was needed.
    """
    pending = migrations.pending(db)
    backup = None
    if pending and db.table_names():
        backup = path.with_name(f"{path.name}{_BEFORE}{pending[0].name}")
        _back_up(db.conn, backup)
    migrations.apply(db)
    return backup


def backups_of(path: Path) -> Sequence[Path]:
    """What `migrate` left beside a database, whole or cut off."""
    return list(path.parent.glob(f"{glob.escape(path.name)}{_BEFORE}*"))


def newest_revision(db: Database) -> int:
    """The revision of the newest change; 0 when there was none."""
    (revision,) = db.execute(
        "SELECT MAX(COALESCE((SELECT MAX(revision) FROM jobs), 0),"
        " COALESCE((SELECT MAX(revision) FROM tombstones), 0))"
    ).fetchone()
    return int(revision)


def _back_up(connection: sqlite3.Connection, backup: Path) -> None:
    """Copy the database; a copy that was cut off never bears the backup's name."""
    part = backup.with_name(f"{backup.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(part)) as copy:
            connection.backup(copy)
        part.replace(backup)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
