"""A database that cannot be used is moved aside, and its newest sound copy takes its place."""

from __future__ import annotations

import logging
import os
import shutil
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from voice_transcriber.files import sync_folder
from voice_transcriber.store.backups import Backups, copy_database
from voice_transcriber.store.connections import open_reader

log = logging.getLogger(__name__)

_BESIDE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, kw_only=True)
class Repair:
    """What was done at a start to a database that could not be used."""

    at: datetime
    reason: str
    moved_to: Path | None  # where the unusable files are; None when there were none
    restored_from: Path | None  # None: no sound copy was found, a new database was begun

    @property
    def text(self) -> str:
        moved = f"It was moved to {self.moved_to}" if self.moved_to else "There was nothing to keep"
        restored = (
            f"its copy {self.restored_from} took its place"
            if self.restored_from
            else "there was no copy, so a new one was begun"
        )
        when = self.at.strftime("%Y-%m-%d %H:%M")
        return f"At {when} UTC the database could not be used: {self.reason}. {moved}; {restored}."


def repair_database(database: Path, *, reason: str, backups: Backups, quarantine: Path) -> Repair:
    """Nobody has the database open. Raises DiskFull, StorageRefuses."""
    now = datetime.now(UTC)
    moved_to = move_aside(database, quarantine, now=now)
    backup = backups.newest_sound()
    if backup:
        with closing(open_reader(backup)) as copy:
            copy_database(copy.conn, database)
    repair = Repair(at=now, reason=reason, moved_to=moved_to, restored_from=backup)
    log.error("%s", repair.text)
    return repair


def move_aside(database: Path, quarantine: Path, *, now: datetime) -> Path | None:
    """Move a database with what SQLite keeps beside it; None when there is nothing to move."""
    files = [database.with_name(database.name + ending) for ending in ("", *_BESIDE)]
    present = [path for path in files if path.exists()]
    if not present:
        return None
    folder = _new_folder(quarantine, now)
    for path in present:
        os.replace(path, folder / path.name)
    sync_folder(folder)
    sync_folder(database.parent)
    return folder


def delete_old_quarantines(quarantine: Path, *, older_than_s: float) -> None:
    """They hold the texts of jobs that were deleted since."""
    limit = time.time() - older_than_s
    for folder in quarantine.glob("*"):
        if folder.stat().st_mtime <= limit:
            shutil.rmtree(folder, ignore_errors=True)
            log.info("The database that was moved to %s was deleted.", folder)


def _new_folder(parent: Path, now: datetime) -> Path:
    folder = parent / now.strftime("%Y%m%dT%H%M%S.%fZ")
    parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700)
    sync_folder(parent)
    return folder
