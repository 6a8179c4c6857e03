"""The SQLite store's record of who did what."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock

from voice_transcriber.actors import actor
from voice_transcriber.store.audit import (
    FIRST_HASH,
    PRUNED,
    AuditEntry,
    Verdict,
    hash_of,
    pruned_to,
    verify_chain,
)
from voice_transcriber.store.connections import Readers
from voice_transcriber.store.library import Database
from voice_transcriber.store.writer import Transaction, Writer

MOST_WAITING = 10_000  # entries, while the disk takes nothing

_log = logging.getLogger(__name__)


def record(db: Database, action: str, subject: str, *, at: float, by: str | None = None) -> None:
    """Add an entry, in a write transaction; `by` is the current actor where it is not given."""
    newest = db.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    seq, prev_hash = newest or (0, FIRST_HASH)
    entry = {
        "seq": seq + 1,
        "at": at,
        "actor": by or actor(),
        "action": action,
        "subject": subject,
        "prev_hash": prev_hash,
    }
    db.table("audit").insert({**entry, "hash": hash_of(entry)})


@dataclass(frozen=True)
class _Note:
    """An entry that waits for its turn to be written."""

    at: float
    by: str
    action: str
    subject: str


class Notes:
    """Entries that wait; one transaction takes all that have come."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: deque[_Note] = deque()
        self._lost = 0

    def put(self, note: _Note) -> bool:
        """Whether this is the first that waits, so that somebody must take them."""
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                self._lost += 1
                return False
            self._waiting.append(note)
            return len(self._waiting) == 1

    def take(self) -> tuple[Sequence[_Note], int]:
        """All that wait, and how many more found no room."""
        with self._lock:
            taken, lost = list(self._waiting), self._lost
            self._waiting.clear()
            self._lost = 0
            return taken, lost


class KeptAudit:
    """What store.audit.AuditStore promises."""

    _writer: Writer
    _readers: Readers
    _clock: Callable[[], float]
    _notes: Notes

    def note(self, action: str, subject: str, *, by: str | None = None) -> None:
        if self._notes.put(_Note(self._clock(), by or actor(), action, subject)):
            self._writer.start(self._write_notes, on_end=_tell_failure)

    def audit_page(self, *, limit: int, before_seq: int | None = None) -> Sequence[AuditEntry]:
        with self._readers.snapshot() as db:
            rows = db.table("audit").rows_where(
                "seq < ?" if before_seq is not None else None,
                [before_seq] if before_seq is not None else None,
                order_by="seq DESC",
                limit=limit,
            )
            return [AuditEntry(**row) for row in rows]

    def prune_audit(self, *, before: float) -> int:
        def work(transaction: Transaction) -> int:
            last = _last_before(transaction.db, before)
            if last is None:
                return 0
            record(transaction.db, PRUNED, pruned_to(last), at=self._clock())
            removed = transaction.db.execute("DELETE FROM audit WHERE seq <= ?", [last.seq])
            return int(removed.rowcount)

        return self._writer.run(work)

    def verify_audit(self) -> Verdict:
        with self._readers.snapshot() as db:
            return verify_chain(db.conn)

    def _write_notes(self, transaction: Transaction) -> None:
        notes, lost = self._notes.take()
        for note in notes:
            record(transaction.db, note.action, note.subject, at=note.at, by=note.by)
        if lost:
            record(transaction.db, "audit.lost", str(lost), at=self._clock())


def _last_before(db: Database, limit: float) -> AuditEntry | None:
    """The newest entry of those at the start that are all older; the newest of all stays."""
    found = db.query(
        "SELECT * FROM audit WHERE seq < (SELECT COALESCE(MIN(seq), (SELECT MAX(seq) FROM audit))"
        " FROM audit WHERE at >= ?) ORDER BY seq DESC LIMIT 1",
        [limit],
    )
    return next((AuditEntry(**row) for row in found), None)


def _tell_failure(ended: Future[None]) -> None:
    if error := ended.exception():
        _log.error("Entries of the audit log could not be written: %s", error)
