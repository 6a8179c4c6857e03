"""The files of finished jobs in TRANSCRIPTIONS_DIR, written as the jobs end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from voice_transcriber.errors import NotFound, TranscriberError, WrongState
from voice_transcriber.job import Job, JobStatus
from voice_transcriber.jobs.hooks import JobHooks, ProcessIds
from voice_transcriber.jobs.output_folder import OutputFolder, Reservation
from voice_transcriber.jobs.sidecar import Sidecars
from voice_transcriber.store.base import Store

log = logging.getLogger(__name__)


class FinishedFiles(JobHooks):
    """A job owes its files from its start until they are written, so that neither a crash nor a
    full disk loses one; `catch_up` writes what is owed still. A failure never fails the job.
    """

    def __init__(self, *, store: Store, sidecars: Sidecars, folder: OutputFolder) -> None:
        self._store = store
        self._sidecars = sidecars
        self._folder = folder
        self._lock = threading.Lock()  # `ended` and `catch_up` may meet at one job
        self.problem: str | None = None  # why the last attempt to write failed

    def started(self, job: Job, process_ids: ProcessIds) -> None:
        try:
            self._sidecars.owe_files(job.id)
        except OSError as error:
            log.warning("A crash would lose the files of job %s: %s", job.id, error)

    def ended(self, job: Job, performance: Mapping[str, Any]) -> None:
        self._settle(job.id)

    def catch_up(self) -> None:
        """Write the files that ended jobs owe still."""
        for job_id in self._sidecars.owing():
            self._settle(job_id)

    def _settle(self, job_id: str) -> None:
        with self._lock:
            try:
                self._write_if_completed(job_id)
            except (OSError, TranscriberError) as error:
                self.problem = f"The files of job {job_id} could not be written: {error}"
                log.error("%s; they are tried again later.", self.problem)

    def _write_if_completed(self, job_id: str) -> None:
        try:
            job = self._store.get(job_id)
            if job.is_live:
                return
            if job.status is JobStatus.COMPLETED:
                self._write(job)
        except (NotFound, WrongState):
            log.info("Job %s was deleted; it needs no files.", job_id)
        self._sidecars.files_settled(job_id)

    def _write(self, job: Job) -> None:
        transcript = self._store.transcript(job.id)
        reservation = self._reserve(job)
        self._folder.write(reservation, transcript, title=PurePath(job.filename).stem)
        self.problem = None

    def _reserve(self, job: Job) -> Reservation:
        """The job's own names, noted before the first file is written."""
        owned = self._sidecars.files(job.id)
        reservation = self._folder.reserve(job.filename, owned=owned)
        try:
            self._sidecars.note_files(job.id, reservation.names)
        except OSError:
            reservation.release()
            raise
        return reservation
