"""Files beside the database from which its jobs can be rebuilt: of every job exactly one."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from voice_transcriber.errors import NotFound, TranscriberError
from voice_transcriber.files import full_disk_told, sync_folder, write_durably
from voice_transcriber.job import Job, JobStatus
from voice_transcriber.jobs.job_file import (
    TAIL_BYTES,
    DamagedFile,
    has_checksum,
    job_file,
    read_job_file,
)

log = logging.getLogger(__name__)

_TRANSCRIPT = ".json"  # a finished job with its transcript
_ACCEPTED = ".job"  # a job that has no transcript
_FILES = ".files"  # names of the job's own files in TRANSCRIPTIONS_DIR
_OWED = ".owed"  # the job runs, or its files in TRANSCRIPTIONS_DIR are not written yet
_DELETED = "deleted"  # days and ids of deleted jobs: no older database brings them back


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a file tells of a job. Of files of an older version `job` is None."""

    job: Job | None
    content: str | None  # the transcript as JSON


class Sidecars:
    """One JSON file for each job, and notes on the files that were made of it."""

    def __init__(self, folder: Path, *, job_now: Callable[[str], Job] | None = None) -> None:
        """`job_now` reads a job from the store; what only reads the files does without."""
        self.folder = folder
        self._job_now = job_now
        self._lock = threading.Lock()  # over a look at a job and what follows from it

    def note(self, job: Job) -> None:
        """Keep what has become of a job, as it is by now; a failure only warns.

        A job that was deleted is left out, of a completed one its transcript's file tells all.
        """
        try:
            with self._lock:
                self._note(self._job_now(job.id) if self._job_now else job)
        except NotFound:
            return
        except (OSError, TranscriberError) as error:
            log.warning("The record of job %s could not be brought up to date: %s", job.id, error)

    def write(self, job: Job, content: str) -> None:
        """Keep a finished job; `content` is its transcript as JSON. Raises DiskFull."""
        with full_disk_told():
            write_durably(self._path(job.id, _TRANSCRIPT), job_file(job, content))

    def finished(self, job_id: str) -> None:
        """What `write` keeps is true: the job is completed."""
        self._path(job_id, _ACCEPTED).unlink(missing_ok=True)

    def delete_transcript(self, job_id: str) -> None:
        """Harmless when there is none."""
        self._path(job_id, _TRANSCRIPT).unlink(missing_ok=True)

    def delete(self, job_id: str) -> None:
        """Of a job that was deleted; no older database brings it back from now on.

        Harmless when there is nothing.
        """
        with self._lock:
            try:
                self._bury(job_id)
            except OSError as error:  # deleting must work on a full disk; the next start notes it
                log.warning("The deletion of job %s could not be noted: %s", job_id, error)
            for ending in (_TRANSCRIPT, _ACCEPTED, _FILES, _OWED):
                self._path(job_id, ending).unlink(missing_ok=True)

    def deleted(self) -> Set[str]:
        """Ids of deleted jobs."""
        return self._deletions().keys()

    def forget_deleted(self, *, before: date) -> None:
        """What was deleted before that day is in no database any more. Raises OSError.

        What an older version noted has no day, and is taken to be of today.
        """
        with self._lock:
            noted = self._deletions()
            dated = {job_id: day or _today() for job_id, day in noted.items()}
            kept = {job_id: day for job_id, day in dated.items() if day >= before.isoformat()}
            if kept != noted:
                lines = "".join(f"{day} {job_id}\n" for job_id, day in kept.items())
                write_durably(self.folder / _DELETED, lines.encode())

    def delete_parts(self) -> None:
        """What a dead process was writing; nobody writes now."""
        for part in self.folder.glob("*.part"):
            part.unlink(missing_ok=True)

    def ids(self) -> tuple[set[str], set[str]]:
        """Of the jobs with a transcript here, and of those without."""
        names = [path.name for path in self.folder.iterdir()]
        with_transcript, without = (
            {name.removesuffix(ending) for name in names if name.endswith(ending)}
            for ending in (_TRANSCRIPT, _ACCEPTED)
        )
        return with_transcript, without

    def kept(self, job_id: str) -> Kept | None:
        """The most that is known of a job; a line in the log for each file that is damaged."""
        for ending in (_TRANSCRIPT, _ACCEPTED):
            path = self._path(job_id, ending)
            try:
                job, content = read_job_file(path.read_bytes())
            except FileNotFoundError:
                continue
            except (OSError, DamagedFile) as error:
                log.error("Nothing can be learned from %s: %s", path, error)
            else:
                return Kept(job=job, content=content)
        return None

    def is_whole(self, job_id: str) -> bool:
        """Whether a finished job's file is there and of this version; looks at its end only."""
        try:
            with self._path(job_id, _TRANSCRIPT).open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - TAIL_BYTES))
                return has_checksum(file.read())
        except FileNotFoundError:
            return False

    def written_at(self, job_id: str) -> float:
        """When a transcript was written, Unix seconds. Raises OSError."""
        return self._path(job_id, _TRANSCRIPT).stat().st_mtime

    def owe_files(self, job_id: str) -> None:
        self._path(job_id, _OWED).touch(mode=0o600)
        sync_folder(self.folder)

    def owing(self) -> list[str]:
        """Ids of the jobs whose files are owed."""
        return [path.stem for path in self.folder.glob(f"*{_OWED}")]

    def files_settled(self, job_id: str) -> None:
        self._path(job_id, _OWED).unlink(missing_ok=True)

    def note_files(self, job_id: str, names: Sequence[str]) -> None:
        write_durably(self._path(job_id, _FILES), json.dumps(names).encode())

    def files(self, job_id: str) -> list[str]:
        """Names of the files that were made of the job."""
        try:
            text = self._path(job_id, _FILES).read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return list(json.loads(text))

    def _note(self, job: Job) -> None:
        if job.status is JobStatus.COMPLETED:
            self.finished(job.id)
        else:
            write_durably(self._path(job.id, _ACCEPTED), job_file(job, None))

    def _bury(self, job_id: str) -> None:
        """A line that a power cut tore stands alone: each one begins with a line end."""
        path = self.folder / _DELETED
        is_new = not path.exists()
        with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
            file.write(f"\n{_today()} {job_id}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(self.folder)

    def _deletions(self) -> Mapping[str, str]:
        """Id and day of each; the day is empty where it is not known."""
        try:
            text = (self.folder / _DELETED).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return {}
        lines = (line.split() for line in text.splitlines())
        return {words[-1]: words[0] if words[1:] else "" for words in lines if words}

    def _path(self, job_id: str, ending: str) -> Path:
        return self.folder / f"{job_id}{ending}"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
