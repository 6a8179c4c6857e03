"""The one thread that writes to the database, with a connection of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from voice_transcriber import kill_points
from voice_transcriber.errors import DatabaseDamaged, ShuttingDown
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
        """Open and migrate the database.

        Raises DiskFull, StorageRefuses, DatabaseDamaged, DatabaseTooNew, ConfigurationError.
        """
        self.revision = 0
        self.problem: str | None = None  # the damage that was met
        self._must_truncate = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-writer")
        try:
            self._submit(lambda: self._open(path)).result()
        except BaseException:
            self._thread.shutdown()
            raise

    def run(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction and return when it is durable.

        What it raises is raised here, and nothing is changed then. Raises DiskFull,
        StorageRefuses, DatabaseDamaged, and ShuttingDown after close().
        """
        try:
            return self._submit(lambda: self._transact(work)).result()
        except DatabaseDamaged as error:
            self.problem = error.message
            raise

    def start(
        self, work: Callable[[Transaction], T], *, on_end: Callable[[Future[T]], None]
    ) -> None:
        """Have `work` run in a transaction, and return at once; `on_end` is told how it ended.

        After close() nothing runs.
        """
        with suppress(ShuttingDown):
            self._submit(lambda: self._transact(work)).add_done_callback(on_end)

    def answers(self, *, timeout_s: float) -> bool:
        """Whether the thread comes to a task within so long."""
        try:
            self._submit(lambda: None).result(timeout_s)
        except (TimeoutError, ShuttingDown):
            return False
        return True

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
            return self._thread.submit(copy_context().run, task)  # who asks is known there too
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
                kill_points.reached("before-commit")
                self._db.commit()
            except BaseException:
                self._db.rollback()
                raise
        kill_points.reached("after-commit")
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
