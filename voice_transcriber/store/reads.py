"""The reading half of the SQLite store: each method sees one state of the database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from voice_transcriber.errors import NotFound, WrongState
from voice_transcriber.job import Job, JobStatus, WindowStatus, search_key
from voice_transcriber.store.base import AGING_S, LONGEST_DELAY_S, Changes, JobPage, Plan
from voice_transcriber.store.connections import Readers
from voice_transcriber.store.library import Database
from voice_transcriber.store.migrations import newest_revision
from voice_transcriber.store.rows import (
    chunk_from_row,
    content_of_transcript,
    job_from_row,
    segments_from_column,
    to_json,
    transcript_from_column,
    window_from_row,
)
from voice_transcriber.transcript.model import Transcript

# A clock that was set back must not make a job wait for what would be days.
IS_DUE = f"(run_at <= :now OR run_at > :now + {LONGEST_DELAY_S})"

# Jobs whose time has not come are last; `:now` and `:aging_s` are Unix time and seconds.
CLAIM_ORDER = f"NOT {IS_DUE}, CASE WHEN queued_at <= :now - :aging_s THEN 0 ELSE priority END, seq"

SPEED_JOBS = 200  # the newest ones tell what the machine does now

_SPEEDS = """
    SELECT model, SUM(own_s) / SUM(audio_s) AS factor
    FROM (
        SELECT json_extract(options, '$.model') AS model,
            json_extract(performance, '$.own_s') AS own_s,
            json_extract(performance, '$.audio_s') AS audio_s
        FROM jobs
        WHERE finished_at IS NOT NULL AND status = 'completed' AND own_s > 0 AND audio_s > 0
            AND json_extract(options, '$.engine') IS NULL
        ORDER BY finished_at DESC
        LIMIT ?
    )
    GROUP BY model
"""


def find_job(db: Database, job_id: str) -> Job:
    """Raises NotFound."""
    for row in db.table("jobs").rows_where("id = ?", [job_id]):
        return job_from_row(row)
    raise NotFound(f"There is no job {job_id}.")


class Reads:
    """What store.base.Store promises of methods that change nothing."""

    _readers: Readers
    _clock: Callable[[], float]

    def get(self, job_id: str) -> Job:
        with self._readers.snapshot() as db:
            return find_job(db, job_id)

    def page(
        self,
        *,
        limit: int,
        before_seq: int | None = None,
        statuses: Collection[JobStatus] = (),
        search: str = "",
        blob_sha256: str | None = None,
    ) -> JobPage:
        conditions = ["1"]
        if statuses:
            conditions.append("status IN (SELECT value FROM json_each(:statuses))")
        if search:
            conditions.append("instr(search_key, :search)")
        if blob_sha256:
            conditions.append("blob_sha256 = :blob_sha256")
        arguments = {
            "statuses": to_json(list(statuses)),
            "search": search_key(search),
            "before_seq": before_seq,
            "blob_sha256": blob_sha256,
        }
        with self._readers.snapshot() as db:
            jobs = db.table("jobs")
            total = jobs.count_where(" AND ".join(conditions), arguments)
            if before_seq is not None:
                conditions.append("seq < :before_seq")
            # Rows are wide: sort numbers, and read only the rows of the page.
            found = jobs.rows_where(
                " AND ".join(conditions),
                arguments,
                order_by="seq DESC",
                select="seq",
                limit=limit + 1,
            )
            seqs = to_json([row["seq"] for row in found])
            on_page = "seq IN (SELECT value FROM json_each(?))"
            rows = list(jobs.rows_where(on_page, [seqs], order_by="seq DESC"))
        shown = [job_from_row(row) for row in rows[:limit]]
        return JobPage(
            jobs=shown, next_cursor=shown[-1].seq if len(rows) > limit else None, total=total
        )

    def changes(self, *, since: int, limit: int) -> Changes:
        with self._readers.snapshot() as db:
            revision = newest_revision(db)
            if not _tombstone_floor(db) <= since <= revision:
                return Changes(revision=revision, jobs=(), deleted=(), reset=True)
            rows = list(
                db.table("jobs").rows_where(
                    "revision > ?", [since], order_by="revision", limit=limit + 1
                )
            )
            if len(rows) > limit:
                del rows[limit:]
                revision = rows[-1]["revision"]
            tombstones = db.table("tombstones").rows_where(
                "revision > ? AND revision <= ?", [since, revision], order_by="revision"
            )
            deleted = [row["job_id"] for row in tombstones]
        jobs = [job_from_row(row) for row in rows]
        return Changes(revision=revision, jobs=jobs, deleted=deleted, reset=False)

    def queue_order(self, *, limit: int) -> Sequence[str]:
        with self._readers.snapshot() as db:
            return [row["id"] for row in self._queued(db, limit=limit, select="id")]

    def next_unprobed(self, *, skip: Collection[str], older_than_s: float) -> Job | None:
        unprobed = (
            "duration_s IS NULL AND (created_at <= :created_before OR created_at > :now) "
            "AND id NOT IN (SELECT value FROM json_each(:skip))"
        )
        arguments = {"created_before": self._clock() - older_than_s, "skip": to_json(list(skip))}
        with self._readers.snapshot() as db:
            rows = self._queued(db, limit=1, only=unprobed, arguments=arguments)
        return job_from_row(rows[0]) if rows else None

    def counts(self) -> Mapping[JobStatus, int]:
        with self._readers.snapshot() as db:
            rows = list(db.query("SELECT status, COUNT(*) AS jobs FROM jobs GROUP BY status"))
        return dict.fromkeys(JobStatus, 0) | {JobStatus(row["status"]): row["jobs"] for row in rows}

    def speeds(self) -> Mapping[str, float]:
        with self._readers.snapshot() as db:
            return {row["model"]: row["factor"] for row in db.query(_SPEEDS, [SPEED_JOBS])}

    def transcript(self, job_id: str) -> Transcript:
        with self._readers.snapshot() as db:
            job = find_job(db, job_id)
            rows = db.table("transcripts").rows_where("job_id = ?", [job_id])
            contents = [content_of_transcript(row) for row in rows]
        if not contents:
            raise WrongState(
                f"The job is {job.status.value}; it has no transcript.",
                remedy="Wait until the job is completed."
                if job.is_live
                else "Retry the job to get a transcript.",
            )
        return transcript_from_column(contents[0])

    def plan(self, job_id: str) -> Plan:
        with self._readers.snapshot() as db:
            of_job = ("job_id = ?", [job_id])
            chunks = list(db.table("chunks").rows_where(*of_job, order_by='"index"'))
            windows = list(db.table("windows").rows_where(*of_job, order_by="start_sample"))
        return Plan(
            chunks=[chunk_from_row(row) for row in chunks],
            windows=[window_from_row(row) for row in windows],
            segments={
                row["start_sample"]: segments_from_column(row["segments"])
                for row in windows
                if row["status"] == WindowStatus.DONE.value
            },
        )

    def blobs_in_use(self) -> Collection[str]:
        with self._readers.snapshot() as db:
            rows = db.query(
                "SELECT blob_sha256 AS sha256 FROM jobs UNION SELECT sha256 FROM uploads"
                " WHERE sha256 IS NOT NULL AND job_id IS NULL"
            )
            return {row["sha256"] for row in rows}

    def live_ids(self) -> Collection[str]:
        with self._readers.snapshot() as db:
            rows = db.table("jobs").rows_where("status IN ('queued', 'running')", select="id")
            return {row["id"] for row in rows}

    def models_in_use(self) -> Collection[str]:
        with self._readers.snapshot() as db:
            rows = db.query(
                "SELECT DISTINCT json_extract(options, '$.model') AS model"
                " FROM jobs WHERE status IN ('queued', 'running')"
            )
            return {row["model"] for row in rows}

    def finished_before(self, *, finished_before: float, limit: int) -> Sequence[Job]:
        with self._readers.snapshot() as db:
            rows = db.table("jobs").rows_where(
                "finished_at < ?", [finished_before], order_by="finished_at", limit=limit
            )
            return [job_from_row(row) for row in rows]

    def _queued(
        self,
        db: Database,
        *,
        limit: int,
        only: str = "1",
        arguments: Mapping[str, Any] = MappingProxyType({}),
        select: str = "*",
    ) -> Sequence[Mapping[str, Any]]:
        return list(
            db.table("jobs").rows_where(
                f"status = 'queued' AND {only}",
                {"now": self._clock(), "aging_s": AGING_S, **arguments},
                order_by=CLAIM_ORDER,
                select=select,
                limit=limit,
            )
        )


def _tombstone_floor(db: Database) -> int:
    """The oldest revision from which every deletion is still known."""
    for row in db.table("tombstones").rows_where(order_by="number", limit=1):
        return int(row["revision"]) if row["number"] > 1 else 0
    return 0
