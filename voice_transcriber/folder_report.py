"""What state a data folder is in, found out beside whoever uses it."""

from __future__ import annotations

from collections.abc import Sequence, Set
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from voice_transcriber.blobs.base import BlobStore
from voice_transcriber.data_folder import DataFolder
from voice_transcriber.files import free_bytes
from voice_transcriber.jobs.sidecar import Sidecars
from voice_transcriber.store.audit import Verdict, verify_chain
from voice_transcriber.store.backups import Backups, made_at
from voice_transcriber.store.connections import open_reader, translated
from voice_transcriber.store.integrity import damage_of
from voice_transcriber.store.migrations import check_version

_SHOWN = 3  # names of each kind
LEAST_FREE_BYTES = 200_000_000


@dataclass
class FolderReport:
    """Lines for a person; `problems` are what somebody should do something about."""

    facts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def folder_report(folder: DataFolder, blobs: BlobStore, backups: Backups) -> FolderReport:
    """Reads everything but the recordings. Raises DatabaseTooNew, StorageRefuses."""
    report = FolderReport()
    _tell_space(report, folder.root)
    if folder.database.exists():
        _tell_database(report, folder, blobs)
    else:
        report.problems.append(
            f"There is no database in {folder.root}. The next start restores what it can."
        )
    _tell_backups(report, backups)
    if moved := sorted(folder.quarantine.glob("*")):
        report.facts.append(f"moved aside: {len(moved)} databases, the newest in {moved[-1]}")
    return report


def _tell_space(report: FolderReport, root: Path) -> None:
    free = free_bytes(root)
    report.facts.append(f"free space: {free / 1e9:.1f} GB")
    if free < LEAST_FREE_BYTES:
        report.problems.append("The disk is full: nothing is accepted. Free disk space.")


def _tell_database(report: FolderReport, folder: DataFolder, blobs: BlobStore) -> None:
    if damage := damage_of(folder.database):
        report.problems.append(
            f"The database is damaged: {damage}. Restart the server: it restores the newest backup "
            "and all finished transcripts."
        )
        return
    with translated(), closing(open_reader(folder.database)) as db:
        check_version(db)
        rows = list(db.query("SELECT id, status, blob_sha256 FROM jobs"))
        audit = verify_chain(db.conn)
    size_bytes = folder.database.stat().st_size
    report.facts.append(f"database: sound, {len(rows)} jobs, {size_bytes / 1e6:.1f} MB")
    _tell_audit(report, audit)
    _tell_recordings(report, {row["blob_sha256"] for row in rows} - {""}, set(blobs.all()))
    completed = {row["id"] for row in rows if row["status"] == "completed"}
    _tell_transcripts(report, Sidecars(folder.transcripts), completed)


def _tell_audit(report: FolderReport, verdict: Verdict) -> None:
    report.facts.append(f"audit log: {verdict.entries} entries, the newest hash is {verdict.head}")
    if verdict.problem:
        report.problems.append(f"{verdict.problem} Somebody wrote to the database by other means.")


def _tell_recordings(report: FolderReport, named: Set[str], stored: Set[str]) -> None:
    report.facts.append(f"recordings: {len(stored)}, of which {len(stored - named)} have no job")
    if missing := sorted(named - stored):
        report.problems.append(
            f"{len(missing)} recordings of jobs are missing: {_some(missing)}. "
            "Restore them from a backup."
        )


def _tell_transcripts(report: FolderReport, sidecars: Sidecars, completed: Set[str]) -> None:
    damaged = [job_id for job_id in sorted(completed) if sidecars.kept(job_id) is None]
    report.facts.append(f"transcripts beside the database: {len(completed) - len(damaged)}")
    if damaged:
        report.problems.append(
            f"{len(damaged)} transcripts beside the database are missing or damaged: "
            f"{_some(damaged)}. Delete these files in {sidecars.folder}; the next start writes "
            "them anew."
        )


def _tell_backups(report: FolderReport, backups: Backups) -> None:
    newest = backups.newest_sound()
    if newest is None:
        report.facts.append("backups of the database: none yet")
        return
    age_h = (datetime.now(UTC) - made_at(newest)).total_seconds() / 3600
    report.facts.append(f"backups of the database: {len(backups.all())}, newest {age_h:.0f} h old")


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and others" if len(names) > _SHOWN else shown
