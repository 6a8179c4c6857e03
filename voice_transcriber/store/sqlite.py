"""The job store in one SQLite file: one process owns it, one thread of it writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from voice_transcriber.errors import NotFound, QueueFull, TooManyQueued, WrongState
from voice_transcriber.job import Job, JobStatus, NewJob, Priority, WindowStatus
from voice_transcriber.store.brought_back import BroughtBack
from voice_transcriber.store.changing import Values, change_job, ended
from voice_transcriber.store.connections import Readers
from voice_transcriber.store.kept_audit import KeptAudit, Notes, record
from voice_transcriber.store.kept_results import KeptResults, forget_job_results
from voice_transcriber.store.kept_submissions import (
    KeptSubmissions,
    count_queued_of,
    made_before,
    note_made,
)
from voice_transcriber.store.library import Database
from voice_transcriber.store.reads import Reads, find_job
from voice_transcriber.store.rows import job_from_row, row_from_new_job
from voice_transcriber.store.runs import Runs
from voice_transcriber.store.writer import Transaction, Writer
from voice_transcriber.submission import Once


class SqliteStore(Reads, Runs, BroughtBack, KeptResults, KeptSubmissions, KeptAudit):
    """Keeps the contract of store.base.Store.

    Every method that changes something returns when the change is durable. It
    raises DiskFull when the disk is full, StorageRefuses when it cannot be used, DatabaseDamaged,
    and ShuttingDown after close().
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.time,
        tombstones_kept: int = 10_000,
    ) -> None:
        """Open or make the database; its folder exists.

        `clock` gives Unix seconds; `changes` can tell the newest `tombstones_kept` deletions.
        Raises DiskFull, StorageRefuses, DatabaseDamaged, DatabaseTooNew, and ConfigurationError
        when Python's SQLite is too old.
        """
        self._clock = clock
        self._tombstones_kept = tombstones_kept
        self._notes = Notes()
        self._writer = Writer(path)
        self._readers = Readers(path)

    @property
    def revision(self) -> int:
        return self._writer.revision

    def close(self) -> None:
        """Wait for what is under way and close; the writer goes last and checkpoints."""
        self._readers.close()
        self._writer.close()

    def answers(self, *, timeout_s: float) -> bool:
        return self._writer.answers(timeout_s=timeout_s)

    def add(
        self,
        new: NewJob,
        *,
        max_queued: int,
        max_of_submitter: int | None = None,
        once: Once | None = None,
    ) -> Job:
        now = self._clock()

        def work(transaction: Transaction) -> Job:
            db = transaction.db
            if once and (made := made_before(db, once, now=now)):
                return find_job(db, made)
            _check_room(db, max_queued)
            _check_room_of_one(db, new.submitter, max_of_submitter)
            transaction.revision += 1
            row = row_from_new_job(new, now=now, revision=transaction.revision)
            db.table("jobs").insert(row)
            if once:
                note_made(db, once, new.id, now=now)
            record(db, "job.submit", new.id, at=now)
            return find_job(db, new.id)

        return self._writer.run(work)

    def cancel(self, job_id: str) -> Job:
        now = self._clock()
        cancelled = ended(JobStatus.CANCELLED, now=now)

        def work(transaction: Transaction) -> Job:
            row = change_job(transaction, job_id, cancelled, only_if="status = 'queued'")
            if row is None:
                asked = {"cancel_requested": 1}
                row = change_job(transaction, job_id, asked, only_if="status = 'running'")
            if row is None:
                status = find_job(transaction.db, job_id).status
                raise WrongState(
                    f"The job is {status.value}; only a queued or running job can be cancelled."
                )
            record(transaction.db, "job.cancel", job_id, at=now)
            return job_from_row(row)

        return self._writer.run(work)

    def set_priority(self, job_id: str, priority: Priority) -> Job:
        wanted = {"priority": priority.value}
        now = self._clock()

        def work(transaction: Transaction) -> Job:
            row = change_job(transaction, job_id, wanted, only_if="status = 'queued'")
            if row is None:
                status = find_job(transaction.db, job_id).status
                raise WrongState(
                    f"The job is {status.value}; only a queued job's priority can be changed.",
                    remedy="Leave it as it is.",
                )
            record(transaction.db, "job.priority", job_id, at=now)
            return job_from_row(row)

        return self._writer.run(work)

    def retry(self, job_id: str, *, max_queued: int, max_of_submitter: int | None = None) -> Job:
        now = self._clock()
        anew = _anew(now=now)

        def work(transaction: Transaction) -> Job:
            row = change_job(transaction, job_id, anew, only_if="status IN ('failed', 'cancelled')")
            if row is None:
                status = find_job(transaction.db, job_id).status
                raise WrongState(
                    f"The job is {status.value}; only a failed or cancelled job can be retried."
                )
            # This job is counted already.
            _check_room(transaction.db, max_queued + 1)
            if max_of_submitter is not None:
                _check_room_of_one(transaction.db, row["submitter"], max_of_submitter + 1)
            _renew_plan(transaction.db, job_id)
            record(transaction.db, "job.retry", job_id, at=now)
            return job_from_row(row)

        return self._writer.run(work)

    def delete(self, job_id: str) -> Job:
        def work(transaction: Transaction) -> Job:
            job = find_job(transaction.db, job_id)
            if job.is_live:
                raise WrongState(
                    f"The job is {job.status.value}; only a job that has ended can be deleted.",
                    remedy="Cancel the job first.",
                )
            self._remove(transaction, job)
            return job

        return self._writer.run(work)

    def erase(self, job_id: str) -> None:
        def work(transaction: Transaction) -> None:
            with suppress(NotFound):
                self._remove(transaction, find_job(transaction.db, job_id))

        self._writer.run(work)

    def _remove(self, transaction: Transaction, job: Job) -> None:
        forget_job_results(transaction.db, job.id, job.blob_sha256)
        transaction.db.table("jobs").delete_where("id = ?", [job.id])
        transaction.erases = True
        transaction.revision += 1
        self._bury(transaction, job.id)
        record(transaction.db, "job.delete", job.id, at=self._clock())

    def _bury(self, transaction: Transaction, job_id: str) -> None:
        tombstone = {"revision": transaction.revision, "job_id": job_id}
        transaction.db.table("tombstones").insert(tombstone)
        transaction.db.execute(
            "DELETE FROM tombstones WHERE number <= (SELECT MAX(number) FROM tombstones) - ?",
            [self._tombstones_kept],
        )


def _check_room(db: Database, max_queued: int) -> None:
    if db.table("jobs").count_where("status = 'queued'") >= max_queued:
        raise QueueFull


def _check_room_of_one(db: Database, submitter: str | None, most: int | None) -> None:
    if submitter is None or most is None:
        return
    if count_queued_of(db, submitter) >= most:
        raise TooManyQueued


def _anew(*, now: float) -> Values:
    return {
        "status": JobStatus.QUEUED.value,
        "queued_at": now,
        "run_at": 0.0,
        "started_at": None,
        "finished_at": None,
        "failures": 0,
        "cancel_requested": 0,
        "error": None,
        "performance": "{}",
    }


def _renew_plan(db: Database, job_id: str) -> None:
    db.execute(
        "UPDATE windows SET status = ?, crashes = 0 WHERE job_id = ? AND status <> ?",
        [WindowStatus.PENDING.value, job_id, WindowStatus.DONE.value],
    )
    db.execute("UPDATE chunks SET failures = 0, error = NULL WHERE job_id = ?", [job_id])
