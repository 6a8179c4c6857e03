"""The one thread that writes to the database, with a connection of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from voice_transcriber.errors import ShuttingDown
from voice_transcriber.store.connections import BUSY_TIMEOUT_MS, open_writer, translated
from voice_transcriber.store.library import Database
from voice_transcriber.store.migrations import migrate, newest_revision

T = TypeVar("T")

_TRUNCATE_TIMEOUT_MS = 100


@dataclass
class Transaction:
    """One write transaction: all of it becomes durable, or nothing."""

    db: Database
    revision: int  # of the newest change so far, in this transaction or before
    erases: bool = False  # set when something was deleted that must not stay in the log


class Writer:
    """Runs write transactions one after the other and keeps the newest revision."""

    def __init__(self, path: Path) -> None:
        """Open and migrate the database. Raises DiskFull, ConfigurationError."""
        self.revision = 0
        self._must_truncate = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-writer")
        try:
            self._submit(lambda: self._open(path)).result()
        except BaseException:
            self._thread.shutdown()
            raise

    def run(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction and return when it is durable.

        What it raises is raised here, and nothing is changed then. Raises
        DiskFull, and ShuttingDown after close().
        """
        return self._submit(lambda: self._transact(work)).result()

    def close(self) -> None:
        """Finish what was submitted, checkpoint and close. Harmless a second time."""
        try:
            closed = self._submit(lambda: self._db.close())
        except ShuttingDown:
            return
        self._thread.shutdown()
        closed.result()

    def _submit(self, task: Callable[[], T]) -> Future[T]:
        try:
            return self._thread.submit(task)
        except RuntimeError as error:  # the executor was shut down
            raise ShuttingDown from error

    def _open(self, path: Path) -> None:
        with translated():
            self._db = open_writer(path)
            try:
                migrate(self._db, path)
                self.revision = newest_revision(self._db)
            except BaseException:
                self._db.close()
                raise

    def _transact(self, work: Callable[[Transaction], T]) -> T:
        transaction = Transaction(self._db, self.revision)
        with translated():
            # Immediate, so that it cannot fail half-way when another program writes.
            self._db.execute("BEGIN IMMEDIATE")
            try:
                result = work(transaction)
                self._db.commit()
            except BaseException:
                self._db.rollback()
                raise
        self.revision = transaction.revision
        self._must_truncate |= transaction.erases
        if self._must_truncate:
            self._must_truncate = not self._truncate_log()
        return result

    def _truncate_log(self) -> bool:
        """Move the log into the database and empty it; False while another program reads."""
        self._db.execute(f"PRAGMA busy_timeout={_TRUNCATE_TIMEOUT_MS}")
        try:
            (busy, _, _) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False  # the deletion itself is durable; the next write tries again
        finally:
            self._db.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        return not busy
