"""Copies of the database that are whole: made while it is used, proved, and durable."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from voice_transcriber import kill_points
from voice_transcriber.errors import DatabaseDamaged
from voice_transcriber.files import rename_durably
from voice_transcriber.store.connections import open_reader, translated
from voice_transcriber.store.integrity import damage_of

log = logging.getLogger(__name__)

_NAME = "jobs-%Y%m%dT%H%M%SZ.db"  # sorts by time
_IS_NAME = re.compile(r"jobs-\d{8}T\d{6}Z\.db")


def copy_database(source: sqlite3.Connection, target: Path) -> None:
    """One state of an open database as a file; a copy that was cut off never bears its name.

    Raises DatabaseDamaged when the copy is not sound, DiskFull, StorageRefuses.
    """
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        with translated():
            _copy(source, part)
        if damage := damage_of(part):
            raise DatabaseDamaged(f"The copy of the database is damaged: {damage}.")
        kill_points.reached("backup")
        rename_durably(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _copy(source: sqlite3.Connection, part: Path) -> None:
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(part)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # read later, it needs no files beside it
    with part.open("r+b") as file:
        os.fsync(file.fileno())


class Backups:
    """The newest copies of the database, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> Sequence[Path]:
        """Newest first."""
        found = (path for path in self.folder.glob("*.db") if _IS_NAME.fullmatch(path.name))
        return sorted(found, reverse=True)

    def newest_sound(self) -> Path | None:
        """The newest copy that can be restored."""
        for backup in self.all():
            if damage := damage_of(backup):
                log.error("The backup %s is damaged: %s.", backup, damage)
            else:
                return backup
        return None

    def make_if_due(
        self, database: Path, *, now: datetime, keep: int, interval_s: float
    ) -> Path | None:
        """A copy when the newest one is older than the interval; then only `keep` of them stay.

        With `keep` 0 none is made. Raises DatabaseDamaged, DiskFull, StorageRefuses.
        """
        made = None
        if keep and self._is_due(now, interval_s):
            made = self.make(database, now=now)
        for old in self.all()[keep:]:
            old.unlink(missing_ok=True)
        return made

    def make(self, database: Path, *, now: datetime) -> Path:
        """A copy now. Raises DatabaseDamaged, DiskFull, StorageRefuses."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self.folder / now.astimezone(UTC).strftime(_NAME)
        back_up(database, target)
        return target

    def _is_due(self, now: datetime, interval_s: float) -> bool:
        """Also when the newest one is of the future: the clock was set back."""
        times = [made_at(backup) for backup in self.all()[:1]]
        return not times or abs((now - times[0]).total_seconds()) >= interval_s


def made_at(backup: Path) -> datetime:
    """When a copy of Backups was made, by its name."""
    return datetime.strptime(backup.name, _NAME).replace(tzinfo=UTC)


def back_up(database: Path, target: Path) -> None:
    """Copy a database that others may be using. Raises as copy_database does."""
    with translated():
        reader = open_reader(database)
    with closing(reader):
        copy_database(reader.conn, target)
