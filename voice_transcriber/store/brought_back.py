"""The SQLite store's half for recovery."""

from __future__ import annotations

from collections.abc import Mapping, Set

from voice_transcriber.job import Job, JobStatus
from voice_transcriber.store.connections import Readers
from voice_transcriber.store.rows import row_from_job, row_from_transcript
from voice_transcriber.store.writer import Transaction, Writer


class BroughtBack:
    """What store.recovery.RecoveryStore promises, but `erase`."""

    _writer: Writer
    _readers: Readers

    @property
    def database_id(self) -> str:
        with self._readers.snapshot() as db:
            (identity,) = db.execute("SELECT id FROM identity").fetchone()
        return str(identity)

    @property
    def problem(self) -> str | None:
        return self._writer.problem or self._readers.problem

    def statuses(self) -> Mapping[str, JobStatus]:
        with self._readers.snapshot() as db:
            rows = db.query("SELECT id, status FROM jobs")
            return {row["id"]: JobStatus(row["status"]) for row in rows}

    def deleted_ids(self) -> Set[str]:
        with self._readers.snapshot() as db:
            return {row["job_id"] for row in db.query("SELECT job_id FROM tombstones")}

    def bring_back(self, job: Job, content: str | None) -> None:
        def work(transaction: Transaction) -> None:
            jobs = transaction.db.table("jobs")
            places = list(jobs.rows_where("id = ?", [job.id], select="seq"))
            jobs.delete_where("id = ?", [job.id])
            transaction.revision += 1
            row = row_from_job(job, revision=transaction.revision)
            jobs.insert(row | (places[0] if places else {}))
            if content is not None:
                transaction.db.table("transcripts").insert(row_from_transcript(job.id, content))

        self._writer.run(work)
