"""Recordings pass the virus scanner before anything is done with them, where one is set."""

from __future__ import annotations

from voice_transcriber.blobs.base import BlobStore
from voice_transcriber.errors import Infected, TranscriberError, WrongState
from voice_transcriber.job import Job
from voice_transcriber.jobs.blob_use import BlobUse
from voice_transcriber.jobs.recovered_jobs import is_bare_recording
from voice_transcriber.jobs.scanner import Clamd
from voice_transcriber.store.base import Store


class RecordingScan:
    """Under a blob's own name: only what was scanned can become a job."""

    def __init__(
        self, scanner: Clamd | None, *, store: Store, blobs: BlobStore, blob_use: BlobUse
    ) -> None:
        self._scanner = scanner
        self._store = store
        self._blobs = blobs
        self._blob_use = blob_use

    def check(self, sha256: str) -> None:
        """Raises Infected, ScannerAway, Busy, FileTooLarge: a blob that no job names goes."""
        if self._scanner is None:
            return
        try:
            self._scanner.check(self._blobs.path(sha256))
        except TranscriberError as error:
            self._blob_use.delete_unneeded(sha256)
            if isinstance(error, Infected):
                self._store.note("upload.infected", sha256)
            raise

    def check_passed(self, job: Job) -> None:
        """Raises WrongState when the recording may have come in without the scan that is due."""
        if self._scanner and is_bare_recording(job):
            raise WrongState(
                "It is not known whether the virus scanner has seen the recording.",
                remedy="Retry the job: the recording is scanned first.",
            )
