"""Backups of a data folder, their restore, and what state a folder is in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from voice_transcriber.data_folder import DataFolder, FolderState
from voice_transcriber.errors import ConfigurationError, DatabaseDamaged, InvalidRequest
from voice_transcriber.files import rename_durably
from voice_transcriber.store.backups import Backups, back_up, copy_database
from voice_transcriber.store.connections import open_reader, translated
from voice_transcriber.store.integrity import damage_of
from voice_transcriber.store.migrations import check_version
from voice_transcriber.store.repair import move_aside

_DATABASE = "jobs.db"
_TRANSCRIPTS = "transcripts"
_BLOBS = "blobs"
_UNFINISHED = shutil.ignore_patterns("incoming", "*.part")


@dataclass(frozen=True, kw_only=True)
class Restore:
    """What is restored, or would be."""

    database: Path
    jobs: int  # in that database
    transcripts: int  # files that are missing in the data folder
    recordings: int
    moved_to: Path | None = None  # where the replaced database is


def back_up_database(folder: DataFolder) -> Path:
    """One more of the daily copies. Raises as back_up_folder does."""
    _check_database(folder)
    return Backups(folder.backups).make(folder.database, now=datetime.now(UTC))


def back_up_folder(folder: DataFolder, target: Path, *, recordings: bool) -> None:
    """Database, transcripts, and `recordings` if wanted, as a new folder; others may be working.

    The database goes first: whatever it names is there when the rest is copied. Raises
    ConfigurationError, InvalidRequest, DatabaseDamaged, DiskFull, StorageRefuses.
    """
    _check_database(folder)
    if target.exists():
        raise InvalidRequest(
            f"{target} exists already.", remedy="Give the name of a folder that does not exist."
        )
    part = target.with_name(f"{target.name}.part")
    with translated():
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700, parents=True)
        back_up(folder.database, part / _DATABASE)
        _copy_tree(folder.transcripts, part / _TRANSCRIPTS)
        if recordings:
            _copy_tree(folder.blobs, part / _BLOBS)
        os.sync()
        rename_durably(part, target)


def plan_restore(folder: DataFolder, source: Path) -> Restore:
    """`source`: a folder that back_up_folder made, or a database alone.

    Raises InvalidRequest, DatabaseDamaged, DatabaseTooNew, StorageRefuses.
    """
    database = source / _DATABASE if source.is_dir() else source
    if not database.is_file():
        raise InvalidRequest(
            f"There is no backup at {source}.",
            remedy="Name a folder that `backup` made, or a copy in DATA_DIR/backups.",
        )
    if damage := damage_of(database):
        raise DatabaseDamaged(
            f"The backup {database} is damaged: {damage}.", remedy="Restore another one."
        )
    with translated(), closing(open_reader(database)) as db:
        check_version(db)
        jobs = db.table("jobs").count if db.table("jobs").exists() else 0
    return Restore(
        database=database,
        jobs=jobs,
        transcripts=sum(1 for _ in _missing(source / _TRANSCRIPTS, folder.transcripts)),
        recordings=sum(1 for _ in _missing(source / _BLOBS, folder.blobs)),
    )


def restore(folder: DataFolder, source: Path, *, with_deleted: bool) -> Restore:
    """Put a backup's database in the place of the folder's, and add files that are missing here.

    Nothing that finished since is lost: the next start adds it to the older database.
    `with_deleted` forgets which jobs were deleted since. Raises what plan_restore does, and
    DataFolderBusy, DiskFull, ConfigurationError.
    """
    plan = plan_restore(folder, source)
    folder.create()
    with _locked(folder), translated():
        folder.note(FolderState(database_id="", revision=0, stopped=False, recovering=True))
        now = datetime.now(UTC)
        with closing(open_reader(plan.database)) as db:
            copy = folder.database.with_name(f"{_DATABASE}.restored")
            copy_database(db.conn, copy)
        moved_to = move_aside(folder.database, folder.quarantine, now=now)
        rename_durably(copy, folder.database)
        for name, own in ((_TRANSCRIPTS, folder.transcripts), (_BLOBS, folder.blobs)):
            for path, place in _missing(source / name, own):
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                _copy_durably(path, place)
        if with_deleted:
            (folder.transcripts / "deleted").unlink(missing_ok=True)
    return Restore(
        database=plan.database,
        jobs=plan.jobs,
        transcripts=plan.transcripts,
        recordings=plan.recordings,
        moved_to=moved_to,
    )


def _check_database(folder: DataFolder) -> None:
    if not folder.database.exists():
        raise ConfigurationError(
            f"There is no database in {folder.root}.",
            remedy="DATA_DIR: name the folder of the server that is to be backed up.",
        )


@contextmanager
def _locked(folder: DataFolder) -> Iterator[None]:
    lock = folder.lock()
    try:
        yield
    finally:
        lock.release()


def _missing(source: Path, own: Path) -> Iterator[tuple[Path, Path]]:
    """Files of a backup, and their places, where nothing is yet."""
    for path in source.rglob("*"):
        place = own / path.relative_to(source)
        if path.is_file() and not place.exists():
            yield path, place


def _copy_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=_UNFINISHED, copy_function=_copy_if_there)


def _copy_if_there(source: str, target: str) -> str:
    """Files may be deleted meanwhile."""
    with suppress(FileNotFoundError):
        shutil.copy2(source, target)
    return target


def _copy_durably(source: Path, target: Path) -> None:
    part = target.with_name(f"{target.name}.part")
    shutil.copyfile(source, part)
    part.chmod(0o600)
    with part.open("r+b") as file:
        os.fsync(file.fileno())
    rename_durably(part, target)
