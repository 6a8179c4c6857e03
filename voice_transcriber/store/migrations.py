"""The schema, as numbered steps that are applied once each, in a transaction."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from voice_transcriber import kill_points
from voice_transcriber.errors import DatabaseTooNew
from voice_transcriber.store.backups import copy_database
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


@MIGRATIONS()
def m0006_submissions(db: Database) -> None:
    """Uploads that come in pieces, requests that count once, and who submitted a job.

    `sha256` is set once all bytes of an upload are there; `job_id` is the one job made of it.
    `submitter` is NULL for clients on this machine. `made` is the id of what a request made.
    """
    db.executescript("""
        ALTER TABLE jobs ADD COLUMN submitter TEXT;
        CREATE INDEX jobs_by_submitter ON jobs (submitter, status) WHERE submitter IS NOT NULL;

        CREATE TABLE uploads (
            id TEXT PRIMARY KEY,
            size_bytes INTEGER NOT NULL,
            offset_bytes INTEGER NOT NULL DEFAULT 0,
            metadata TEXT NOT NULL,
            submitter TEXT,
            changed_at REAL NOT NULL,
            expires_at REAL NOT NULL,
            sha256 TEXT,
            job_id TEXT
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE requests (
            scope TEXT NOT NULL,
            key TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            made TEXT NOT NULL,
            created_at REAL NOT NULL,
            PRIMARY KEY (scope, key)
        ) STRICT, WITHOUT ROWID;
    """)


@MIGRATIONS()
def m0007_audit(db: Database) -> None:
    """Who did what; each entry names the hash of the one before it.

    AUTOINCREMENT keeps the newest number where entries are missing at the end.
    """
    db.executescript("""
        CREATE TABLE audit (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            at REAL NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            subject TEXT NOT NULL,
            prev_hash TEXT NOT NULL,
            hash TEXT NOT NULL
        ) STRICT;
    """)


@MIGRATIONS()
def m0008_identity(db: Database) -> None:
    """The database's own id, which its folder keeps too, and what tells an altered transcript."""
    db.executescript("""
        CREATE TABLE identity (id TEXT NOT NULL) STRICT;
        INSERT INTO identity (id) VALUES (lower(hex(randomblob(16))));
        ALTER TABLE transcripts ADD COLUMN checksum TEXT;
    """)


@MIGRATIONS()
def m0009_waits_for(db: Database) -> None:
    """Why a queued job waits, where it is for more than its turn."""
    db.execute("ALTER TABLE jobs ADD COLUMN waits_for TEXT")


def migrate(db: Database, path: Path, migrations: Migrations = MIGRATIONS) -> Path | None:
    """Apply what is pending; before that, back up a database that holds anything.

    Returns the backup's path, or None when none was needed. Raises DatabaseTooNew.
    """
    check_version(db, migrations)
    pending = migrations.pending(db)
    backup = None
    if pending and db.table_names():
        backup = path.with_name(f"{path.name}{_BEFORE}{pending[0].name}")
        copy_database(db.conn, backup)
    with db.tracer(lambda _statement, _values: kill_points.reached("migration-step")):
        migrations.apply(db)
    return backup


def backups_of(path: Path) -> Sequence[Path]:
    """What `migrate` left beside a database, whole or cut off."""
    return list(path.parent.glob(f"{glob.escape(path.name)}{_BEFORE}*"))


def check_version(db: Database, migrations: Migrations = MIGRATIONS) -> None:
    """Raises DatabaseTooNew when a newer version has changed the database."""
    with closing(Database(memory=True)) as empty:
        known = {step.name for step in migrations.pending(empty)}
    unknown = [step.name for step in migrations.applied(db) if step.name not in known]
    if unknown:
        raise DatabaseTooNew(
            "The database was written by a newer version of this program: this one does not "
            f"know its step {unknown[-1]}."
        )


def newest_revision(db: Database) -> int:
    """The revision of the newest change; 0 when there was none."""
    (revision,) = db.execute(
        "SELECT MAX(COALESCE((SELECT MAX(revision) FROM jobs), 0),"
        " COALESCE((SELECT MAX(revision) FROM tombstones), 0))"
    ).fetchone()
    return int(revision)
