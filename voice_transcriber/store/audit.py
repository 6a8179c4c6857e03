"""The record of who did what: contract, and the chain of hashes that shows a change in it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

FIRST_HASH = "0" * 64  # what the very first entry follows
PRUNED = "audit.prune"  # the entry that tells what the oldest kept one follows


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One thing that somebody did."""

    seq: int  # grows by one
    at: float  # Unix seconds
    actor: str
    action: str  # "job.delete"
    subject: str  # what it was done to, an id; never a file's name or text
    prev_hash: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a look at the whole chain gave."""

    entries: int
    head: str  # hash of the newest entry: kept elsewhere, it shows that the chain was made anew
    problem: str | None  # a sentence; None: every entry is as it was written


class AuditStore(Protocol):
    """The part of store.base.Store that keeps the record. Changes of jobs write it themselves."""

    def note(self, action: str, subject: str, *, by: str | None = None) -> None:
        """Record what changes nothing in the store; `by` is the current actor if not given.

        Returns at once; the entry is durable soon after. What could not be written is logged.
        """
        ...

    def audit_page(self, *, limit: int, before_seq: int | None = None) -> Sequence[AuditEntry]:
        """Newest first."""
        ...

    def prune_audit(self, *, before: float) -> int:
        """Remove the oldest entries, up to the first that is not older. Returns their number."""
        ...

    def verify_audit(self) -> Verdict: ...


def hash_of(entry: Mapping[str, Any]) -> str:
    """SHA-256 of all columns but itself, as JSON."""
    columns = ("seq", "at", "actor", "action", "subject", "prev_hash")
    text = json.dumps([entry[name] for name in columns], ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def verify_chain(connection: sqlite3.Connection) -> Verdict:
    """Read the whole record of a database. A database without one is of an older version."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'audit'").fetchone():
        return Verdict(entries=0, head=FIRST_HASH, problem=None)
    entries = 0
    head, problem, pruned = FIRST_HASH, None, set()
    first: AuditEntry | None = None
    for entry in _entries(connection):
        entries += 1
        if first is None:
            first, head = entry, entry.prev_hash
        problem = problem or _fault_of(entry, expected_seq=first.seq + entries - 1, follows=head)
        if entry.action == PRUNED:
            pruned.add(entry.subject)
        head = entry.hash
    problem = problem or _fault_at_start(first, pruned) or _fault_at_end(connection, first, entries)
    return Verdict(entries=entries, head=head, problem=problem)


def pruned_to(entry: AuditEntry) -> str:
    """The subject of the entry that tells that all up to this one were removed."""
    return f"{entry.seq} {entry.hash}"


def _entries(connection: sqlite3.Connection) -> Iterator[AuditEntry]:
    columns = "seq, at, actor, action, subject, prev_hash, hash"
    for row in connection.execute(f"SELECT {columns} FROM audit ORDER BY seq"):
        yield AuditEntry(**dict(zip(columns.split(", "), row, strict=True)))


def _fault_of(entry: AuditEntry, *, expected_seq: int, follows: str) -> str | None:
    if entry.seq != expected_seq:
        return f"Entry {expected_seq} of the audit log is missing."
    if entry.prev_hash != follows:
        return f"Entry {entry.seq} of the audit log does not follow the one before it."
    if entry.hash != hash_of(asdict(entry)):
        return f"Entry {entry.seq} of the audit log was changed."
    return None


def _fault_at_start(first: AuditEntry | None, pruned: set[str]) -> str | None:
    if first is None or (first.seq, first.prev_hash) == (1, FIRST_HASH):
        return None
    if f"{first.seq - 1} {first.prev_hash}" in pruned:
        return None
    return f"Entries before {first.seq} of the audit log are missing."


def _fault_at_end(
    connection: sqlite3.Connection, first: AuditEntry | None, entries: int
) -> str | None:
    written = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").fetchone()
    last = first.seq + entries - 1 if first else 0
    if written is not None and written[0] > last:
        return f"Entries after {last} of the audit log are missing."
    return None
