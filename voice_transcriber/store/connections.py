"""SQLite connections: how they are opened, and what their errors mean to us."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition

from voice_transcriber.errors import (
    ConfigurationError,
    DiskFull,
    InternalError,
    ShuttingDown,
)
from voice_transcriber.store.library import Database

OLDEST_SQLITE = (3, 37, 0)  # STRICT tables; RETURNING came two releases before
BUSY_TIMEOUT_MS = 10_000
_JOURNAL_SIZE_LIMIT_BYTES = 64 * 1024 * 1024

# A full disk shows as the second one when the shared-memory file cannot grow.
_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def translated() -> Iterator[None]:
    """Turn a full disk into DiskFull and a broken constraint into InternalError."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise InternalError(f"The database refused a row: {error}.") from error
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) in _FULL:
            raise DiskFull from error
        raise
    except OSError as error:
        if error.errno in _FULL_ERRNOS:
            raise DiskFull from error
        raise


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
        self._path = path
        self._idle: list[Database] = []
        self._lent = 0
        self._closed = False
        self._changed = Condition()

    @contextmanager
    def snapshot(self) -> Iterator[Database]:
        """All that is read in the block is one state. Raises ShuttingDown after close()."""
        db = self._take()
        try:
            with translated(), db.atomic():
                yield db
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
