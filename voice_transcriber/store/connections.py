"""SQLite connections: how they are opened, and what their errors mean to us."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition

from voice_transcriber.errors import (
    ConfigurationError,
    DatabaseDamaged,
    DiskFull,
    InternalError,
    ShuttingDown,
    StorageRefuses,
)
from voice_transcriber.files import full_disk_told
from voice_transcriber.store.library import Database

OLDEST_SQLITE = (3, 37, 0)  # STRICT tables; RETURNING came two releases before
BUSY_TIMEOUT_MS = 10_000
_JOURNAL_SIZE_LIMIT_BYTES = 64 * 1024 * 1024

# A full disk shows as the second one when the shared-memory file cannot grow.
_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_REFUSED = frozenset(
    {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
)
_IN_USE = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})


@contextmanager
def translated() -> Iterator[None]:
    """Turn SQLite's errors into ours.

    Raises DiskFull; StorageRefuses when the disk cannot be read or written, or another program has
    locked the database; DatabaseDamaged; InternalError for a broken constraint.
    """
    try:
        with full_disk_told():
            yield
    except sqlite3.IntegrityError as error:
        raise InternalError(f"The database refused a row: {error}.") from error
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code in _FULL:
            raise DiskFull from error
        if is_damage(error):
            raise DatabaseDamaged(f"The database is damaged: {error}.") from error
        if code is not None and _primary(code) in _REFUSED:
            raise StorageRefuses(f"The database cannot be read or written: {error}.") from error
        if code is not None and _primary(code) in _IN_USE:
            raise StorageRefuses(
                f"Another program has locked the database: {error}.",
                remedy="Close the program that has jobs.sqlite3 open, and try again.",
            ) from error
        raise


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file's content is at fault, and not the disk, a lock or the statement."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and _primary(code) in _DAMAGED


def _primary(code: int) -> int:
    """The kind of an error, whose higher bits tell more."""
    return code & 0xFF


def open_writer(path: Path) -> Database:
    """The only connection that writes and checkpoints; makes the file, for its owner alone.

    Raises ConfigurationError when Python's SQLite is too old.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise ConfigurationError(
            f"This Python has SQLite {sqlite3.sqlite_version}, which is too old.",
            remedy="Use a Python whose SQLite is 3.37 or newer.",
        )
    # SQLite gives its -wal and -shm files the mode of the database.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000)
    return _database(
        connection,
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"journal_size_limit={_JOURNAL_SIZE_LIMIT_BYTES}",
        # ON and not FAST, which leaves deleted text in the pages that become free.
        "secure_delete=ON",
    )


def open_reader(path: Path) -> Database:
    """A connection that can neither write nor checkpoint; used by one thread at a time."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=BUSY_TIMEOUT_MS / 1000,
        check_same_thread=False,
    )
    return _database(connection, "query_only=ON", "wal_autocheckpoint=0")


def _database(connection: sqlite3.Connection, *pragmas: str) -> Database:
    try:
        # Plugins are programs that somebody installed for the sqlite-utils command.
        db = Database(connection, recursive_triggers=False, execute_plugins=False)
        for pragma in ("trusted_schema=OFF", *pragmas):
            db.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return db


class Readers:
    """Lends read connections, one snapshot at a time; as many as threads read at once."""

    def __init__(self, path: Path) -> None:
        self.problem: str | None = None  # the damage that was met
        self._path = path
        self._idle: list[Database] = []
        self._lent = 0
        self._closed = False
        self._changed = Condition()

    @contextmanager
    def snapshot(self) -> Iterator[Database]:
        """All that is read in the block is one state.

        Raises ShuttingDown after close(), StorageRefuses, DatabaseDamaged.
        """
        with translated():
            db = self._take()
        try:
            with translated(), db.atomic():
                yield db
        except DatabaseDamaged as error:
            self.problem = error.message
            raise
        finally:
            self._give_back(db)

    def close(self) -> None:
        """Refuse new snapshots, wait for those under way, close all connections."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._lent == 0)
            while self._idle:
                self._idle.pop().close()

    def _take(self) -> Database:
        with self._changed:
            if self._closed:
                raise ShuttingDown
            db = self._idle.pop() if self._idle else open_reader(self._path)
            self._lent += 1
            return db

    def _give_back(self, db: Database) -> None:
        with self._changed:
            self._lent -= 1
            self._idle.append(db)
            self._changed.notify_all()
