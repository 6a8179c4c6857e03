"""How the database of a data folder is opened: looked at, repaired where it must be, and known."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from voice_transcriber.data_folder import DataFolder, FolderState
from voice_transcriber.errors import DatabaseDamaged
from voice_transcriber.store.backups import Backups
from voice_transcriber.store.base import Store
from voice_transcriber.store.connections import translated
from voice_transcriber.store.integrity import damage_of
from voice_transcriber.store.repair import Repair, repair_database

log = logging.getLogger(__name__)

ALWAYS_CHECKED_BYTES = 256 * 1024 * 1024  # read within a second; larger ones after a crash only


@dataclass(frozen=True, kw_only=True)
class OpenedStore:
    """A database that can be used."""

    store: Store
    repair: Repair | None  # what had to be done for that
    is_known: bool  # the folder's own database in its newest state, as far as was noted


def open_store(folder: DataFolder, backups: Backups, make: Callable[[Path], Store]) -> OpenedStore:
    """The caller holds the folder's lock.

    A damaged database is moved aside, and its newest sound backup takes its place. Raises
    DiskFull, StorageRefuses, DatabaseTooNew, ConfigurationError.
    """
    with translated():
        _delete_parts(folder)
        state = folder.state()
        existed = _has_content(folder.database)
        repair = None
        if reason := _unusable(folder, backups, state):
            repair = _repaired(folder, backups, reason)
        try:
            store = make(folder.database)
        except DatabaseDamaged as error:
            repair = _repaired(folder, backups, error.message)
            store = make(folder.database)
        is_known = existed and repair is None and _is_newest(store, state)
        folder.note(_state_of(store, stopped=False, recovering=not is_known))
    return OpenedStore(store=store, repair=repair, is_known=is_known)


def note_recovered(folder: DataFolder, store: Store) -> None:
    """All is brought back that could be. Raises DiskFull, StorageRefuses, DatabaseDamaged."""
    with translated():
        folder.note(_state_of(store, stopped=False))


def note_revision(folder: DataFolder, store: Store) -> None:
    """From time to time: a database that is older than this is not the folder's newest."""
    state = folder.state()
    if state and store.problem is None and store.revision > state.revision:
        folder.note(replace(state, revision=store.revision))


def note_stopped(folder: DataFolder, store: Store) -> None:
    """In order, unless damage was met, or jobs are still to come back. The store is open still.

    Raises OSError.
    """
    if store.problem is None and (state := folder.state()):
        folder.note(replace(state, revision=store.revision, stopped=True))


def _unusable(folder: DataFolder, backups: Backups, state: FolderState | None) -> str | None:
    if not _has_content(folder.database):
        is_lost = state is not None or bool(backups.all())
        return "it is missing or empty" if is_lost else None
    unclean = state is None or not state.stopped
    if unclean or folder.database.stat().st_size <= ALWAYS_CHECKED_BYTES:
        return damage_of(folder.database)
    return None


def _delete_parts(folder: DataFolder) -> None:
    """What a dead process was writing."""
    for part in (*folder.root.glob("*.part"), *folder.backups.glob("*.part")):
        part.unlink(missing_ok=True)


def _repaired(folder: DataFolder, backups: Backups, reason: str) -> Repair:
    return repair_database(
        folder.database, reason=reason, backups=backups, quarantine=folder.quarantine
    )


def _has_content(database: Path) -> bool:
    return database.exists() and database.stat().st_size > 0


def _is_newest(store: Store, state: FolderState | None) -> bool:
    """Without a note there is nothing to compare with: an update of the program."""
    if state is None:
        return True
    is_own = store.database_id == state.database_id and store.revision >= state.revision
    return is_own and not state.recovering


def _state_of(store: Store, *, stopped: bool, recovering: bool = False) -> FolderState:
    return FolderState(
        database_id=store.database_id,
        revision=store.revision,
        stopped=stopped,
        recovering=recovering,
    )
