"""The workers' half of the SQLite store: claims, and fenced writes of running jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from voice_transcriber.errors import InternalError
from voice_transcriber.job import Chunk, Claim, Job, JobError, JobStatus, Lane, Window
from voice_transcriber.store.base import AGING_S, Progress, WindowResult
from voice_transcriber.store.changing import Values, change_claimed, change_job, ended, put_back
from voice_transcriber.store.kept_results import note_results
from voice_transcriber.store.reads import CLAIM_ORDER, IS_DUE
from voice_transcriber.store.results import ResultNotes
from voice_transcriber.store.rows import (
    error_to_column,
    job_from_row,
    row_from_chunk,
    row_from_transcript,
    row_from_window,
    segments_to_column,
    to_json,
    transcript_to_column,
    window_from_row,
)
from voice_transcriber.store.writer import Transaction, Writer
from voice_transcriber.transcript.model import Transcript

_EQUAL_RUNS = """
    :equals_wait AND json_extract(options, '$.use_cache') IS NOT 0 AND EXISTS (
        SELECT 1 FROM jobs AS other
        WHERE other.status = 'running' AND other.blob_sha256 = jobs.blob_sha256
            AND other.options = jobs.options AND other.priority <= jobs.priority
    )
"""

# The express lane compares the priorities that users gave: a long job that has
# merely waited must not leave the main lane. With nothing running, MIN is NULL.
_CLAIM = f"""
    UPDATE jobs
    SET status = 'running', revision = :revision, owner = :owner, attempt = attempt + 1,
        waits_for = NULL, started_at = COALESCE(started_at, :now)
    WHERE status = 'queued' AND id = (
        SELECT id FROM jobs
        WHERE status = 'queued' AND {IS_DUE} AND NOT ({_EQUAL_RUNS}) AND (
            :lane = 'main'
            OR duration_s <= :express_max_s
            OR priority < (SELECT MIN(priority) FROM jobs WHERE status = 'running')
        )
        ORDER BY {CLAIM_ORDER}
        LIMIT 1
    )
    RETURNING *
"""

_FINISH_WINDOW = """
    UPDATE windows SET status = 'done', segments = :segments
    WHERE job_id = :job_id AND start_sample = :start_sample AND status = 'pending'
    RETURNING *
"""

_FAIL_WINDOW = """
    UPDATE windows SET status = 'failed'
    WHERE job_id = :job_id AND start_sample = :start_sample AND status = 'pending'
    RETURNING *
"""

_COUNT_CRASH = """
    UPDATE windows
    SET crashes = crashes + 1,
        status = CASE WHEN crashes + 1 >= :max_crashes THEN 'failed' ELSE status END
    WHERE job_id = :job_id AND start_sample = :start_sample AND status = 'pending'
    RETURNING *
"""


class Runs:
    """What store.base.Store promises to workers."""

    _writer: Writer
    _clock: Callable[[], float]

    def claim(
        self, *, lane: Lane, owner: str, express_max_s: float, equals_wait: bool = False
    ) -> Job | None:
        def work(transaction: Transaction) -> Job | None:
            arguments = {
                "lane": lane.value,
                "owner": owner,
                "express_max_s": express_max_s,
                "equals_wait": equals_wait,
                "now": self._clock(),
                "aging_s": AGING_S,
                "revision": transaction.revision + 1,
            }
            for row in transaction.db.query(_CLAIM, arguments):
                transaction.revision += 1
                return job_from_row(row)
            return None

        return self._writer.run(work)

    def set_probe(self, job_id: str, *, duration_s: float) -> bool:
        return self._change_queued(job_id, {"duration_s": duration_s})

    def fail_queued(self, job_id: str, error: JobError) -> bool:
        values = ended(JobStatus.FAILED, now=self._clock())
        return self._change_queued(job_id, {**values, "error": error_to_column(error)})

    def reclaim(self, *, owner: str) -> int:
        def work(transaction: Transaction) -> int:
            running = "status = 'running' AND owner <> ?"
            rows = list(transaction.db.table("jobs").rows_where(running, [owner], order_by="seq"))
            for row in rows:
                values = put_back(row, now=self._clock(), run_at=0.0)
                change_job(transaction, row["id"], values, only_if="status = 'running'")
            return len(rows)

        return self._writer.run(work)

    def progress(self, claim: Claim, progress: Progress) -> None:
        self._change_claimed(claim, _progress(progress))

    def set_duration(self, claim: Claim, *, duration_s: float) -> None:
        self._change_claimed(claim, {"duration_s": duration_s})

    def set_language(self, claim: Claim, *, language: str, probability: float | None) -> None:
        self._change_claimed(claim, {"language": language, "language_probability": probability})

    def add_chunk(
        self,
        claim: Claim,
        chunk: Chunk,
        windows: Sequence[Window],
        *,
        done: Sequence[WindowResult] = (),
    ) -> None:
        def work(transaction: Transaction) -> None:
            change_claimed(transaction, claim)
            _put_chunk(transaction, claim, chunk)
            _insert_windows(transaction, claim, [*windows, *(one.window for one in done)])
            _finish_windows(transaction, claim, done)

        self._writer.run(work)

    def finish_windows(
        self, claim: Claim, results: Sequence[WindowResult], progress: Progress
    ) -> None:
        def work(transaction: Transaction) -> None:
            change_claimed(transaction, claim, _progress(progress))
            _finish_windows(transaction, claim, results)
            follow_ups = [result.follow_up for result in results if result.follow_up]
            _insert_windows(transaction, claim, follow_ups)

        self._writer.run(work)

    def set_failures(self, claim: Claim, chunk: Chunk, *, failed: Sequence[Window] = ()) -> None:
        values = {"failures": chunk.failures, "error": chunk.error}

        def work(transaction: Transaction) -> None:
            change_claimed(transaction, claim)
            transaction.db.table("chunks").update((claim.job_id, chunk.index), values)
            for window in failed:
                _change_window(transaction, _FAIL_WINDOW, claim, window, {})

        self._writer.run(work)

    def count_window_crash(self, claim: Claim, window: Window, *, max_crashes: int) -> Window:
        def work(transaction: Transaction) -> Window:
            change_claimed(transaction, claim)
            return _change_window(
                transaction, _COUNT_CRASH, claim, window, {"max_crashes": max_crashes}
            )

        return self._writer.run(work)

    def release(
        self,
        claim: Claim,
        *,
        run_at: float = 0.0,
        failures: int | None = None,
        waits_for: str | None = None,
    ) -> None:
        def work(transaction: Transaction) -> None:
            row = change_claimed(transaction, claim)
            values = put_back(row, now=self._clock(), run_at=run_at, waits_for=waits_for)
            counted = row["failures"] if failures is None else failures
            change_claimed(transaction, claim, {**values, "failures": counted})

        self._writer.run(work)

    def complete(
        self,
        claim: Claim,
        transcript: Transcript,
        performance: Mapping[str, Any],
        notes: ResultNotes | None = None,
    ) -> None:
        now = self._clock()
        values = ended(JobStatus.COMPLETED, now=now)

        def work(transaction: Transaction) -> None:
            change_claimed(
                transaction,
                claim,
                {**values, "percent": 100.0, "performance": to_json(performance)},
            )
            content = transcript_to_column(transcript)
            row = row_from_transcript(claim.job_id, content)
            transaction.db.table("transcripts").insert(row)
            transaction.db.table("windows").delete_where("job_id = ?", [claim.job_id])
            note_results(transaction, claim.job_id, notes, now=now)

        self._writer.run(work)

    def fail(self, claim: Claim, error: JobError, performance: Mapping[str, Any]) -> None:
        values = {"error": error_to_column(error), "performance": to_json(performance)}
        self._change_claimed(claim, {**ended(JobStatus.FAILED, now=self._clock()), **values})

    def end_cancelled(self, claim: Claim) -> None:
        self._change_claimed(claim, ended(JobStatus.CANCELLED, now=self._clock()))

    def _change_claimed(self, claim: Claim, values: Values) -> None:
        self._writer.run(lambda transaction: change_claimed(transaction, claim, values))

    def _change_queued(self, job_id: str, values: Values) -> bool:
        def work(transaction: Transaction) -> bool:
            row = change_job(transaction, job_id, values, only_if="status = 'queued'")
            return row is not None

        return self._writer.run(work)


def _progress(progress: Progress) -> Values:
    return {
        "stage": progress.stage.value,
        "percent": progress.percent,
        "stage_percent": progress.stage_percent,
        "text_tail": progress.text_tail,
        "ends_at": progress.ends_at,
    }


def _change_window(
    transaction: Transaction, statement: str, claim: Claim, window: Window, values: Values
) -> Window:
    arguments = {**values, "job_id": claim.job_id, "start_sample": window.start_sample}
    for row in transaction.db.query(statement, arguments):
        return window_from_row(row)
    raise InternalError(f"Job {claim.job_id} has no pending window at {window.start_sample}.")


def _put_chunk(transaction: Transaction, claim: Claim, chunk: Chunk) -> None:
    chunks = transaction.db.table("chunks")
    chunks.delete_where(
        'job_id = ? AND "index" = ? AND NOT is_planned', [claim.job_id, chunk.index]
    )
    chunks.insert(row_from_chunk(claim.job_id, chunk))


def _finish_windows(
    transaction: Transaction, claim: Claim, results: Sequence[WindowResult]
) -> None:
    for result in results:
        segments = {"segments": segments_to_column(result.segments)}
        _change_window(transaction, _FINISH_WINDOW, claim, result.window, segments)


def _insert_windows(transaction: Transaction, claim: Claim, windows: Sequence[Window]) -> None:
    rows = [row_from_window(claim.job_id, window) for window in windows]
    transaction.db.table("windows").insert_all(rows)
