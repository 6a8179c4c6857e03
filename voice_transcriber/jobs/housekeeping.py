"""What is tidied up from time to time; every step may run twice without harm."""

from __future__ import annotations

import logging
import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from voice_transcriber import kill_points
from voice_transcriber.blobs.base import BlobStore
from voice_transcriber.engines.speech import SpeechEngine
from voice_transcriber.errors import NotFound, TranscriberError, WrongState
from voice_transcriber.files import keep_end
from voice_transcriber.jobs.manager import JobManager
from voice_transcriber.jobs.sidecar import Sidecars
from voice_transcriber.results.cache import ResultCache
from voice_transcriber.store.backups import Backups, made_at
from voice_transcriber.store.base import Store
from voice_transcriber.store.migrations import backups_of
from voice_transcriber.store.repair import delete_old_quarantines

log = logging.getLogger(__name__)

STRAY_S = 3600.0  # an upload or a temporary file that nobody touched for so long is a stray
RETENTION_BATCH = 100
DAY_S = 86400.0
BACKUP_DAYS = 7  # of the database as an older version left it
QUARANTINE_DAYS = 30  # of databases that were moved aside
DELETION_DAYS = 365  # a backup that is kept elsewhere should not be older
ENGINE_LOG_BYTES = 16_000_000  # of one child; above it only the end is kept
ENGINE_LOG_END_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Housekeeping:
    """The rounds. APScheduler calls them, and the start of the app."""

    store: Store
    blobs: BlobStore
    engine: SpeechEngine
    manager: JobManager
    sidecars: Sidecars
    results: ResultCache
    backups: Backups
    backup_keep: int
    backup_interval_s: float
    database: Path
    quarantine: Path
    work_dir: Path
    temp_dir: Path
    engine_log: Path
    retention_days: int
    model_idle_s: float
    free_memory_early: bool
    started_at: float = field(default_factory=time.monotonic)

    def at_start(self) -> None:
        """Remove what a dead process left; nobody uploads yet, so every stray is old enough.

        Recordings are no strays at a start, whatever the database says.
        """
        self._delete_strays(older_than_s=0)
        self._delete_old_backups()
        self._forget_old_deletions()
        self._tidy_results()

    def tidy(self) -> None:
        """Idle models, temporary files, stray uploads, old jobs, old backups, old results."""
        self.engine.unload_idle(idle_s=self.model_idle_s)
        self._delete_strays(older_than_s=STRAY_S)
        self._delete_unused_recordings()
        self._delete_expired_jobs()
        self._delete_old_backups()
        self._forget_old_deletions()
        self._tidy_results()

    def let_go(self) -> None:
        """Of what nobody needs any more, at once."""
        self._delete_orphan_work()
        self._bound_engine_logs()
        if self.free_memory_early:
            self.engine.unload_idle(idle_s=0)

    def back_up(self) -> None:
        """Copy the database when that is due; a failure is told, and tried again."""
        try:
            self.backups.make_if_due(
                self.database,
                now=datetime.now(UTC),
                keep=self.backup_keep,
                interval_s=self.backup_interval_s,
            )
        except (OSError, TranscriberError) as error:
            log.error("The database could not be backed up: %s", error)

    def _tidy_results(self) -> None:
        """A cache that is too large for a while hurts nobody."""
        try:
            self.results.tidy()
        except TranscriberError as error:
            log.warning("The cache could not be tidied: %s", error.message)

    def _delete_old_backups(self) -> None:
        """They hold the texts of jobs that were deleted since."""
        limit = time.time() - BACKUP_DAYS * DAY_S
        for backup in backups_of(self.database):
            if backup.stat().st_mtime <= limit:
                backup.unlink()
                log.info("The backup %s is %d days old and was deleted.", backup, BACKUP_DAYS)
        delete_old_quarantines(self.quarantine, older_than_s=QUARANTINE_DAYS * DAY_S)

    def _forget_old_deletions(self) -> None:
        """Not while a copy of the database from before them is kept here."""
        copies = [made_at(copy) for copy in self.backups.all()]
        oldest = min([datetime.now(UTC) - timedelta(days=DELETION_DAYS), *copies])
        try:
            self.sidecars.forget_deleted(before=oldest.date())
        except OSError as error:
            log.warning("The list of deleted jobs could not be shortened: %s", error)

    def _delete_strays(self, *, older_than_s: float) -> None:
        strays = self.blobs.delete_stray_parts(older_than_s=older_than_s)
        kill_points.reached("housekeeping")
        strays += self._delete_temp_files(older_than_s=older_than_s)
        strays += self._delete_orphan_work()
        if strays:
            log.info("Housekeeping removed %d stray files.", strays)

    def _delete_unused_recordings(self) -> None:
        """Not in the first hour, and only beside a database that can be believed."""
        if self.store.problem or time.monotonic() - self.started_at < STRAY_S:
            return
        unused = self.blobs.delete_unused(self.store.blobs_in_use(), older_than_s=STRAY_S)
        if unused:
            log.info("Housekeeping removed %d recordings that belong to no job.", unused)

    def _delete_temp_files(self, *, older_than_s: float) -> int:
        limit = time.time() - older_than_s
        old = [path for path in self.temp_dir.iterdir() if path.stat().st_mtime <= limit]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _delete_orphan_work(self) -> int:
        """Decoded audio of jobs that have ended: by a crash, or while they waited to go on."""
        folders = list(self.work_dir.iterdir())  # before the jobs: a new one makes its own later
        if not folders:
            return 0
        live = set(self.store.live_ids())
        orphans = [folder for folder in folders if folder.name not in live]
        for folder in orphans:
            shutil.rmtree(folder, ignore_errors=True)
        return len(orphans)

    def _bound_engine_logs(self) -> None:
        """What a library prints in a loop must not fill the disk; the child before has one too."""
        for path in self.engine_log.parent.glob(f"{self.engine_log.name}*"):
            keep_end(path, above_bytes=ENGINE_LOG_BYTES, kept_bytes=ENGINE_LOG_END_BYTES)

    def _delete_expired_jobs(self) -> None:
        if not self.retention_days:
            return
        limit = time.time() - self.retention_days * DAY_S
        for job in self.store.finished_before(finished_before=limit, limit=RETENTION_BATCH):
            try:
                self.manager.delete(job.id)
            except (NotFound, WrongState):  # the user was faster
                continue
