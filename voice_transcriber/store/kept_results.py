"""The SQLite store's half for the result cache."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import Any

from voice_transcriber.job import Claim, JobStatus
from voice_transcriber.store.changing import change_claimed, change_job, ended
from voice_transcriber.store.connections import Readers
from voice_transcriber.store.library import Database
from voice_transcriber.store.results import (
    DecodedAs,
    KnownAnswer,
    ResultKind,
    ResultNotes,
    ResultTotals,
    StoredResult,
)
from voice_transcriber.store.rows import Row, row_from_transcript, to_json
from voice_transcriber.store.writer import Transaction, Writer

_KEEP = """
    INSERT INTO results (key, kind, checksum, size_bytes, made_at, used_at, content)
    SELECT :key, :kind, :checksum, :size_bytes, :now, :now, :content
    WHERE EXISTS (SELECT 1 FROM jobs WHERE id = :job_id)
    ON CONFLICT (key) DO UPDATE SET
        checksum = excluded.checksum, size_bytes = excluded.size_bytes,
        made_at = excluded.made_at, used_at = excluded.used_at, content = excluded.content
"""

# Of an entry that was deleted since it was read there is nothing to note.
_BELONG = """
    INSERT OR IGNORE INTO result_jobs (key, job_id)
    SELECT results.key, jobs.id FROM results, jobs WHERE results.key = :key AND jobs.id = :job_id
"""

_USE = "UPDATE results SET uses = uses + 1, used_at = :now WHERE key = :key"

# Too old, or too much of what is not.
_TO_TRIM = """
    SELECT key FROM (
        SELECT key, made_at, SUM(size_bytes) FILTER (WHERE made_at > :made_after)
            OVER (ORDER BY used_at DESC, key) AS size_so_far
        FROM results
    ) WHERE made_at <= :made_after OR size_so_far > :max_bytes
"""

# Deleted content is overwritten: to delete all at once would keep the jobs' writes waiting.
_DELETED_AT_ONCE = 100


def note_results(
    transaction: Transaction, job_id: str, notes: ResultNotes | None, *, now: float
) -> None:
    """Write down what a job leaves, in the transaction that completes it."""
    if notes is None:
        return
    if notes.made:
        _keep(transaction.db, job_id, notes.made, now=now)
    for key in notes.used:
        arguments = {"key": key, "job_id": job_id}
        transaction.db.execute(_BELONG, arguments)
        transaction.db.execute(_USE, {"key": key, "now": now})
    if notes.decoded:
        _note_decoded(transaction.db, notes.decoded)


def forget_job_results(db: Database, job_id: str, blob_sha256: str) -> None:
    """In the transaction that deletes a job, before its row goes: what belongs to no other job."""
    db.execute(
        "DELETE FROM results WHERE key IN (SELECT key FROM result_jobs WHERE job_id = :job_id)"
        " AND NOT EXISTS (SELECT 1 FROM result_jobs AS others"
        "  WHERE others.key = results.key AND others.job_id <> :job_id)",
        {"job_id": job_id},
    )
    db.execute(
        "DELETE FROM decoded WHERE blob_sha256 = :blob AND NOT EXISTS"
        " (SELECT 1 FROM jobs WHERE blob_sha256 = :blob AND id <> :job_id)",
        {"blob": blob_sha256, "job_id": job_id},
    )


class KeptResults:
    """What store.results.ResultStore promises."""

    _writer: Writer
    _readers: Readers
    _clock: Callable[[], float]

    def find_result(self, key: str, *, made_after: float) -> StoredResult | None:
        with self._readers.snapshot() as db:
            found = db.table("results").rows_where("key = ? AND made_at > ?", [key, made_after])
            for row in found:
                return _result_from_row(db, row)
        return None

    def most_used_results(
        self, *, limit: int, max_bytes: int, made_after: float
    ) -> Sequence[StoredResult]:
        with self._readers.snapshot() as db:
            results = db.table("results")
            order = results.rows_where(
                "made_at > ?",
                [made_after],
                order_by="uses DESC, used_at DESC",
                select="key, size_bytes",
                limit=limit,
            )
            keys = _within(list(order), max_bytes=max_bytes)
            rows = [row for key in keys for row in results.rows_where("key = ?", [key])]
            return [_result_from_row(db, row) for row in rows]

    def keep_result(self, job_id: str, result: StoredResult) -> bool:
        now = self._clock()
        return self._writer.run(lambda one: _keep(one.db, job_id, result, now=now))

    def drop_result(self, key: str) -> None:
        self._writer.run(lambda one: _delete(one, "key = :key", {"key": key}))

    def forget_results_of(self, blob_sha256: str) -> Collection[str]:
        def work(transaction: Transaction) -> Collection[str]:
            rows = transaction.db.query(
                "SELECT DISTINCT key FROM result_jobs WHERE job_id IN"
                " (SELECT id FROM jobs WHERE blob_sha256 = ?)",
                [blob_sha256],
            )
            keys = [row["key"] for row in rows]
            _delete_keys(transaction, keys=keys)
            return keys

        return self._writer.run(work)

    def jobs_with(self, blob_sha256: str) -> Collection[str]:
        with self._readers.snapshot() as db:
            rows = db.table("jobs").rows_where("blob_sha256 = ?", [blob_sha256], select="id")
            return [row["id"] for row in rows]

    def clear_results(self) -> int:
        self._writer.run(lambda one: one.db.execute("DELETE FROM decoded"))
        return self._delete_in_turn("SELECT key FROM results", {})

    def trim_results(self, *, max_bytes: int, made_after: float) -> int:
        arguments = {"max_bytes": max_bytes, "made_after": made_after}
        return self._delete_in_turn(_TO_TRIM, arguments)

    def _delete_in_turn(self, chosen: str, arguments: Mapping[str, float]) -> int:
        """Delete the entries whose keys a statement selects, with room for other writes between."""
        with self._readers.snapshot() as db:
            keys = [row["key"] for row in db.query(chosen, dict(arguments))]
        batches = (
            keys[start : start + _DELETED_AT_ONCE]
            for start in range(0, len(keys), _DELETED_AT_ONCE)
        )
        return sum(self._writer.run(partial(_delete_keys, keys=batch)) for batch in batches)

    def result_totals(self) -> ResultTotals:
        with self._readers.snapshot() as db:
            (entries, size_bytes) = db.execute(
                "SELECT COUNT(*), COALESCE(SUM(size_bytes), 0) FROM results"
            ).fetchone()
        return ResultTotals(entries=entries, size_bytes=size_bytes)

    def find_decoded(self, blob_sha256: str, selection: str) -> DecodedAs | None:
        with self._readers.snapshot() as db:
            rows = db.table("decoded").rows_where(
                "blob_sha256 = ? AND selection = ?", [blob_sha256, selection]
            )
            for row in rows:
                return DecodedAs(**row)
        return None

    def fact(self, name: str) -> str | None:
        with self._readers.snapshot() as db:
            for row in db.table("result_facts").rows_where("name = ?", [name]):
                return str(row["value"])
        return None

    def note_fact(self, name: str, value: str) -> None:
        row = {"name": name, "value": value}
        self._writer.run(lambda one: one.db.table("result_facts").upsert(row, pk="name"))

    def complete_queued(self, job_id: str, answer: KnownAnswer) -> bool:
        now = self._clock()

        def work(transaction: Transaction) -> bool:
            values = {**_answered(answer, now=now), "started_at": now, "run_at": 0.0}
            row = change_job(transaction, job_id, values, only_if="status = 'queued'")
            if row is not None:
                _end(transaction, job_id, answer, now=now)
            return row is not None

        return self._writer.run(work)

    def complete_known(self, claim: Claim, answer: KnownAnswer) -> None:
        now = self._clock()

        def work(transaction: Transaction) -> None:
            change_claimed(transaction, claim, _answered(answer, now=now))
            _end(transaction, claim.job_id, answer, now=now)

        self._writer.run(work)


def _answered(answer: KnownAnswer, *, now: float) -> Mapping[str, Any]:
    return {
        **ended(JobStatus.COMPLETED, now=now),
        "percent": 100.0,
        "duration_s": answer.duration_s,
        "language": answer.language,
        "language_probability": answer.language_probability,
        "text_tail": answer.text_tail,
        "performance": to_json(answer.performance),
    }


def _end(transaction: Transaction, job_id: str, answer: KnownAnswer, *, now: float) -> None:
    transaction.db.table("transcripts").insert(row_from_transcript(job_id, answer.content))
    transaction.db.table("chunks").delete_where("job_id = ?", [job_id])
    notes = ResultNotes(used=[answer.key], decoded=answer.decoded)
    note_results(transaction, job_id, notes, now=now)


def _keep(db: Database, job_id: str, result: StoredResult, *, now: float) -> bool:
    kept = db.execute(
        _KEEP,
        {
            "key": result.key,
            "kind": result.kind.value,
            "checksum": result.checksum,
            "size_bytes": len(result.content),
            "content": result.content,
            "now": now,
            "job_id": job_id,
        },
    ).rowcount
    db.execute(_BELONG, {"key": result.key, "job_id": job_id})
    return kept > 0


def _note_decoded(db: Database, decoded: DecodedAs) -> None:
    db.execute(
        "INSERT OR REPLACE INTO decoded"
        " (blob_sha256, selection, pcm_sha256, end_sample, duration_ms) VALUES (?, ?, ?, ?, ?)",
        [
            decoded.blob_sha256,
            decoded.selection,
            decoded.pcm_sha256,
            decoded.end_sample,
            decoded.duration_ms,
        ],
    )


def _within(rows: Sequence[Row], *, max_bytes: int) -> Sequence[str]:
    """Keys of the first rows that fit together."""
    sizes_bytes = accumulate(row["size_bytes"] for row in rows)
    return [
        row["key"] for row, so_far in zip(rows, sizes_bytes, strict=True) if so_far <= max_bytes
    ]


def _delete_keys(transaction: Transaction, *, keys: Sequence[str]) -> int:
    chosen = "key IN (SELECT value FROM json_each(:keys))"
    return _delete(transaction, chosen, {"keys": to_json(keys)})


def _delete(transaction: Transaction, where: str, arguments: dict[str, Any]) -> int:
    # Conditions are ours; every value is a parameter.
    deleted = transaction.db.execute(f"DELETE FROM results WHERE {where}", arguments).rowcount
    transaction.erases |= deleted > 0
    return deleted


def _result_from_row(db: Database, row: Row) -> StoredResult:
    owners = db.table("result_jobs").rows_where("key = ?", [row["key"]], select="job_id")
    return StoredResult(
        key=row["key"],
        kind=ResultKind(row["kind"]),
        content=row["content"],
        checksum=row["checksum"],
        jobs=frozenset(owner["job_id"] for owner in owners),
    )
