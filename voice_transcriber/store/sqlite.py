"""The job store in one SQLite file: one process owns it, one thread of it writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from voice_transcriber.errors import QueueFull, WrongState
from voice_transcriber.job import Job, JobStatus, NewJob, Priority, WindowStatus
from voice_transcriber.store.changing import Values, change_job, ended
from voice_transcriber.store.connections import Readers
from voice_transcriber.store.kept_results import KeptResults, forget_job_results
from voice_transcriber.store.library import Database
from voice_transcriber.store.reads import Reads, find_job
from voice_transcriber.store.rows import job_from_row, row_from_new_job
from voice_transcriber.store.runs import Runs
from voice_transcriber.store.writer import Transaction, Writer


class SqliteStore(Reads, Runs, KeptResults):
    """Keeps the contract of store.base.Store.

    Every method that changes something returns when the change is durable. It
    raises DiskFull when the disk is full, and ShuttingDown after close().
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
        Raises DiskFull, and ConfigurationError when Python's SQLite is too old.
        """
        self._clock = clock
        self._tombstones_kept = tombstones_kept
        self._writer = Writer(path)
        self._readers = Readers(path)

    @property
    def revision(self) -> int:
        return self._writer.revision

    def close(self) -> None:
        """Wait for what is under way and close; the writer goes last and checkpoints."""
        self._readers.close()
        self._writer.close()

    def add(self, new: NewJob, *, max_queued: int) -> Job:
        def work(transaction: Transaction) -> Job:
            _check_room(transaction.db, max_queued)
            transaction.revision += 1
            row = row_from_new_job(new, now=self._clock(), revision=transaction.revision)
            transaction.db.table("jobs").insert(row)
            return find_job(transaction.db, new.id)

        return self._writer.run(work)

    def cancel(self, job_id: str) -> Job:
        cancelled = ended(JobStatus.CANCELLED, now=self._clock())

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
            return job_from_row(row)

        return self._writer.run(work)

    def set_priority(self, job_id: str, priority: Priority) -> Job:
        wanted = {"priority": priority.value}

        def work(transaction: Transaction) -> Job:
            row = change_job(transaction, job_id, wanted, only_if="status = 'queued'")
            if row is None:
                status = find_job(transaction.db, job_id).status
                raise WrongState(
                    f"The job is {status.value}; only a queued job's priority can be changed.",
                    remedy="Leave it as it is.",
                )
            return job_from_row(row)

        return self._writer.run(work)

    def retry(self, job_id: str, *, max_queued: int) -> Job:
        anew = _anew(now=self._clock())

        def work(transaction: Transaction) -> Job:
            row = change_job(transaction, job_id, anew, only_if="status IN ('failed', 'cancelled')")
            if row is None:
                status = find_job(transaction.db, job_id).status
                raise WrongState(
                    f"The job is {status.value}; only a failed or cancelled job can be retried."
                )
            _check_room(transaction.db, max_queued + 1)  # this job is counted already
            _renew_plan(transaction.db, job_id)
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
            forget_job_results(transaction.db, job_id, job.blob_sha256)
            transaction.db.table("jobs").delete_where("id = ?", [job_id])
            transaction.erases = True
            transaction.revision += 1
            self._bury(transaction, job_id)
            return job

        return self._writer.run(work)

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
