"""Uploads and request keys in SQLite; with the rules that a submission counts once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, fields

from voice_transcriber.errors import KeyReused, NotFound, QueueFull, TooManyQueued, WrongOffset
from voice_transcriber.store.connections import Readers
from voice_transcriber.store.library import Database
from voice_transcriber.store.rows import Row
from voice_transcriber.store.submissions import ACTIVE_S, REMEMBERED_S
from voice_transcriber.store.writer import Transaction, Writer
from voice_transcriber.submission import NewUpload, Once, RequestKey, Upload

_OPEN = "job_id IS NULL AND expires_at > :now"  # waits for bytes, or for its job


def made_before(db: Database, once: Once, *, now: float) -> str | None:
    """Id of the job that the same submission made before. Raises KeyReused, NotFound."""
    if once.key and (made := _made_by(db, once.key, now=now)):
        return made
    return _found(db, once.upload_id, now=now).job_id if once.upload_id else None


def note_made(db: Database, once: Once, job_id: str, *, now: float) -> None:
    """Belongs into the transaction that makes the job."""
    if once.key:
        _remember(db, once.key, job_id, now=now)
    if once.upload_id:
        db.execute("UPDATE uploads SET job_id = ? WHERE id = ?", [job_id, once.upload_id])


def count_queued_of(db: Database, submitter: str) -> int:
    of_one = ("submitter = ? AND status = 'queued'", [submitter])
    return int(db.table("jobs").count_where(*of_one))


class KeptSubmissions:
    """Keeps the contract of store.submissions.SubmissionStore."""

    _readers: Readers
    _writer: Writer
    _clock: Callable[[], float]

    def add_upload(
        self,
        new: NewUpload,
        *,
        max_open: int,
        max_of_submitter: int,
        key: RequestKey | None = None,
    ) -> Upload:
        now = self._clock()

        def work(transaction: Transaction) -> Upload:
            db = transaction.db
            if key:
                _forget_expired(db, key, now=now)
            if key and (made := _made_by(db, key, now=now)):
                return _found(db, made, now=now)
            uploads = db.table("uploads")
            if uploads.count_where(_OPEN, {"now": now}) >= max_open:
                raise QueueFull("Too many uploads are under way; nothing was accepted.")
            of_one = {"now": now, "submitter": new.submitter}
            if uploads.count_where(f"{_OPEN} AND submitter = :submitter", of_one) >= (
                max_of_submitter
            ):
                raise TooManyQueued("Too many uploads of this client are under way.")
            uploads.insert({**asdict(new), "changed_at": now})
            if key:
                _remember(db, key, new.id, now=now)
            return _found(db, new.id, now=now)

        return self._writer.run(work)

    def upload(self, upload_id: str) -> Upload:
        with self._readers.snapshot() as db:
            return _found(db, upload_id, now=self._clock())

    def advance_upload(
        self, upload_id: str, *, from_bytes: int, to_bytes: int, expires_at: float
    ) -> Upload:
        now = self._clock()

        def work(transaction: Transaction) -> Upload:
            moved = transaction.db.execute(
                "UPDATE uploads SET offset_bytes = ?, expires_at = ?, changed_at = ?"
                " WHERE id = ? AND offset_bytes = ? AND job_id IS NULL AND expires_at > ?",
                [to_bytes, expires_at, now, upload_id, from_bytes, now],
            ).rowcount
            found = _found(transaction.db, upload_id, now=now)
            if not moved:
                raise WrongOffset
            return found

        return self._writer.run(work)

    def set_upload_sha256(self, upload_id: str, sha256: str) -> None:
        def work(transaction: Transaction) -> None:
            changed = transaction.db.execute(
                "UPDATE uploads SET sha256 = ? WHERE id = ?", [sha256, upload_id]
            ).rowcount
            if not changed:
                raise _not_found(upload_id)

        self._writer.run(work)

    def delete_upload(self, upload_id: str) -> Upload:
        def work(transaction: Transaction) -> Upload:
            found = _found(transaction.db, upload_id, now=0)
            transaction.db.table("uploads").delete_where("id = ?", [upload_id])
            if found.job_id is None:
                transaction.db.table("requests").delete_where("made = ?", [upload_id])
            return found

        return self._writer.run(work)

    def expired_uploads(self) -> Sequence[Upload]:
        with self._readers.snapshot() as db:
            rows = db.table("uploads").rows_where("expires_at <= ?", [self._clock()])
            return [_upload(row) for row in rows]

    def upload_ids(self) -> Collection[str]:
        with self._readers.snapshot() as db:
            return {row["id"] for row in db.table("uploads").rows_where(select="id")}

    def queued_of(self, submitter: str) -> int:
        with self._readers.snapshot() as db:
            return count_queued_of(db, submitter)

    def awaited_bytes(self) -> int:
        with self._readers.snapshot() as db:
            (awaited,) = db.execute(
                "SELECT COALESCE(SUM(size_bytes - offset_bytes), 0) FROM uploads"
                " WHERE changed_at > ?",
                [self._clock() - ACTIVE_S],
            ).fetchone()
        return int(awaited)

    def forget_requests(self) -> None:
        limit = self._clock() - REMEMBERED_S

        def work(transaction: Transaction) -> None:
            transaction.db.table("requests").delete_where("created_at <= ?", [limit])

        self._writer.run(work)


def _found(db: Database, upload_id: str, *, now: float) -> Upload:
    for row in db.table("uploads").rows_where("id = ? AND expires_at > ?", [upload_id, now]):
        return _upload(row)
    raise _not_found(upload_id)


def _not_found(upload_id: str) -> NotFound:
    return NotFound(
        f"There is no upload {upload_id[:60]!r}.",
        remedy="Begin the upload again; one that stands still is deleted after UPLOAD_EXPIRY.",
    )


def _upload(row: Row) -> Upload:
    return Upload(**{field.name: row[field.name] for field in fields(Upload)})


def _made_by(db: Database, key: RequestKey, *, now: float) -> str | None:
    rows = db.table("requests").rows_where(
        "scope = ? AND key = ? AND created_at > ?", [key.scope, key.key, now - REMEMBERED_S]
    )
    for row in rows:
        if row["fingerprint"] != key.fingerprint:
            raise KeyReused
        return str(row["made"])
    return None


def _forget_expired(db: Database, key: RequestKey, *, now: float) -> None:
    """An announcement whose upload came to nothing may be made again."""
    db.execute(
        "DELETE FROM requests WHERE scope = ? AND key = ? AND made IN"
        " (SELECT id FROM uploads WHERE job_id IS NULL AND expires_at <= ?)",
        [key.scope, key.key, now],
    )


def _remember(db: Database, key: RequestKey, made: str, *, now: float) -> None:
    row = {**asdict(key), "made": made, "created_at": now}
    db.table("requests").insert(row, replace=True)
