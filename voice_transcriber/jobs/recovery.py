"""At a start: what the files beside the database know of jobs and the database does not."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from dataclasses import asdict, dataclass

from voice_transcriber.blobs.base import BlobStore
from voice_transcriber.errors import NotFound, ShuttingDown, TranscriberError, WrongState
from voice_transcriber.job import LIVE_STATUSES, Job, JobStatus
from voice_transcriber.jobs.recovered_jobs import job_of_recording, job_of_transcript
from voice_transcriber.jobs.sidecar import Sidecars
from voice_transcriber.store.base import Store
from voice_transcriber.store.rows import transcript_to_column
from voice_transcriber.transcript.model import Transcript

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """What was brought back; numbers of jobs."""

    finished: int  # with their transcripts
    waiting: int  # without
    recordings: int  # of which nothing but the recording is left
    deleted: int  # that an older database still had

    def __bool__(self) -> bool:
        return any(asdict(self).values())

    @property
    def text(self) -> str:
        return (
            "What the database did not know was brought back from the files beside it: "
            f"{self.finished} finished jobs, {self.waiting} without a transcript, "
            f"{self.recordings} recordings whose jobs are lost; {self.deleted} deletions were "
            "made again."
        )


class Recovery:
    """Compares the store with the files. May run at any start, and again after a crash."""

    def __init__(
        self, store: Store, blobs: BlobStore, sidecars: Sidecars, *, default_model: str
    ) -> None:
        """`default_model` is for recordings of which nobody knows what was asked."""
        self._store = store
        self._blobs = blobs
        self._sidecars = sidecars
        self._default_model = default_model

    def run(self, *, is_known: bool) -> Recovered:
        """`is_known`: the database is the folder's own, in its newest state. Otherwise recordings
        that no job names become jobs too, and transcripts of older versions are read.

        Raises DiskFull, StorageRefuses, DatabaseDamaged.
        """
        self._sidecars.delete_parts()
        deleted = self._end_deletions()
        with_transcript, without = self._sidecars.ids()
        statuses = self._store.statuses()
        unended = {one for one in with_transcript if statuses.get(one) in LIVE_STATUSES}
        lost = with_transcript - statuses.keys()
        finished = [self._bring_back_finished(one, old_too=False) for one in unended]
        finished += [self._bring_back_finished(one, old_too=not is_known) for one in lost]
        waiting = self._bring_back_waiting(without - self._store.statuses().keys())
        self._settle(without)
        return Recovered(
            finished=sum(finished),
            waiting=waiting,
            recordings=0 if is_known else self._bring_back_recordings(),
            deleted=deleted,
        )

    def complete_files(self) -> None:
        """Write what is missing beside the database, as after an update of the program. Does not
        raise: it has a thread of its own, and the next start tries again.
        """
        try:
            self._complete_files()
        except ShuttingDown:
            return
        except (OSError, TranscriberError) as error:
            log.warning("Files beside the database could not be completed: %s", error)

    def _complete_files(self) -> None:
        _, without = self._sidecars.ids()
        for job_id, status in self._store.statuses().items():
            try:
                if status is JobStatus.COMPLETED and not self._sidecars.is_whole(job_id):
                    self._write_finished(job_id)
                elif status is not JobStatus.COMPLETED and job_id not in without:
                    self._sidecars.note(self._store.get(job_id))
            except (NotFound, WrongState):  # deleted or retried in between
                continue

    def _write_finished(self, job_id: str) -> None:
        content = transcript_to_column(self._store.transcript(job_id))
        self._sidecars.write(self._store.get(job_id), content)
        try:
            self._store.get(job_id)
        except NotFound:  # deleted while it was written
            self._sidecars.delete(job_id)

    def _end_deletions(self) -> int:
        """What was cut off: the row goes first, then it is noted, then the files go."""
        with_transcript, without = self._sidecars.ids()
        noted = self._sidecars.deleted()
        for job_id in (with_transcript | without) & (noted | self._store.deleted_ids()):
            self._sidecars.delete(job_id)
        of_older_database = self._store.statuses().keys() & noted
        recordings = {self._store.get(job_id).blob_sha256 for job_id in of_older_database}
        for job_id in of_older_database:
            self._store.erase(job_id)
        for sha256 in recordings - set(self._store.blobs_in_use()):
            self._blobs.delete(sha256)  # a backup may have brought it back
        return len(of_older_database)

    def _bring_back_finished(self, job_id: str, *, old_too: bool) -> bool:
        kept = self._sidecars.kept(job_id)
        if kept is None or kept.content is None:
            return False
        job = kept.job
        if job is None and old_too:
            transcript = Transcript.from_dict(json.loads(kept.content))
            finished_at = self._sidecars.written_at(job_id)
            job = job_of_transcript(job_id, transcript, finished_at=finished_at)
        if job is None:
            return False
        self._store.bring_back(job, kept.content)
        return True

    def _bring_back_waiting(self, ids: Collection[str]) -> int:
        """In their order of acceptance."""
        kept = [self._sidecars.kept(job_id) for job_id in ids]
        jobs: list[Job] = [one.job for one in kept if one and one.job and one.content is None]
        for job in sorted(jobs, key=lambda job: job.created_at):
            self._store.bring_back(job, None)
        return len(jobs)

    def _settle(self, without: Collection[str]) -> None:
        """A completed job's record is with its transcript."""
        statuses = self._store.statuses()
        for job_id in without:
            if statuses.get(job_id) is JobStatus.COMPLETED and self._sidecars.is_whole(job_id):
                self._sidecars.finished(job_id)

    def _bring_back_recordings(self) -> int:
        in_use = self._store.blobs_in_use()
        unnamed = [sha256 for sha256 in self._blobs.all() if sha256 not in in_use]
        for sha256 in unnamed:
            file = self._blobs.path(sha256).stat()
            job = job_of_recording(
                sha256,
                size_bytes=file.st_size,
                came_at=file.st_mtime,
                model=self._default_model,
            )
            self._store.bring_back(job, None)
            self._sidecars.note(job)
        return len(unnamed)
