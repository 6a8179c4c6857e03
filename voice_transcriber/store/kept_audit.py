"""The SQLite store's record of who did what."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
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


@dataclass
class _Taken:
    """What one transaction writes, and how many entries more found no room."""

    notes: Sequence[_Note] = field(default_factory=list)
    lost: int = 0


class Notes:
    """Entries that wait; one transaction takes all that have come."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: deque[_Note] = deque()
        self._lost = 0
        self._is_asked = False  # somebody is about to take them

    def put(self, note: _Note) -> None:
        with self._lock:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.append(note)
            else:
                self._lost += 1

    def ask(self) -> bool:
        """Whether entries wait and nobody was asked to take them, as the caller is then."""
        with self._lock:
            is_mine = not self._is_asked and bool(self._waiting)
            self._is_asked |= is_mine
            return is_mine

    def take(self) -> _Taken:
        """All that wait."""
        with self._lock:
            taken = _Taken(list(self._waiting), self._lost)
            self._waiting.clear()
            self._lost = 0
            self._is_asked = False
            return taken

    def give_back(self, taken: _Taken) -> None:
        """It was not written: it waits again, before what has come since."""
        with self._lock:
            self._waiting.extendleft(reversed(taken.notes))
            self._lost += taken.lost
            self._is_asked = False


class KeptAudit:
    """What store.audit.AuditStore promises."""

    _writer: Writer
    _readers: Readers
    _clock: Callable[[], float]
    _notes: Notes

    def note(self, action: str, subject: str, *, by: str | None = None) -> None:
        self._notes.put(_Note(self._clock(), by or actor(), action, subject))
        self._write_notes()

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

        self._write_notes()  # what could not be written before
        return self._writer.run(work)

    def verify_audit(self) -> Verdict:
        with self._readers.snapshot() as db:
            return verify_chain(db.conn)

    def _write_notes(self) -> None:
        taken = _Taken()

        def work(transaction: Transaction) -> None:
            nonlocal taken
            taken = self._notes.take()
            for note in taken.notes:
                record(transaction.db, note.action, note.subject, at=note.at, by=note.by)
            if taken.lost:
                record(transaction.db, "audit.lost", str(taken.lost), at=self._clock())

        def on_end(ended: Future[None]) -> None:
            if error := ended.exception():
                _log.error("Entries of the audit log wait, they cannot be written: %s", error)
                self._notes.give_back(taken)

        if self._notes.ask():
            self._writer.start(work, on_end=on_end)


def _last_before(db: Database, limit: float) -> AuditEntry | None:
    """The newest entry of those at the start that are all older; the newest of all stays."""
    found = db.query(
        "SELECT * FROM audit WHERE seq < (SELECT COALESCE(MIN(seq), (SELECT MAX(seq) FROM audit))"
        " FROM audit WHERE at >= ?) ORDER BY seq DESC LIMIT 1",
        [limit],
    )
    return next((AuditEntry(**row) for row in found), None)
