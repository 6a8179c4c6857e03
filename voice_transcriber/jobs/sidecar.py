"""Finished transcripts as files beside the database, from which they can be rebuilt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from voice_transcriber.files import sync_folder, write_durably

_TRANSCRIPT = ".json"
_FILES = ".files"  # names of the job's own files in TRANSCRIPTIONS_DIR
_OWED = ".owed"  # the job runs, or its files in TRANSCRIPTIONS_DIR are not written yet


class Sidecars:
    """One JSON file for each finished job, and notes on the files that were made of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, job_id: str, content: str) -> None:
        """`content`: the transcript as JSON."""
        write_durably(self._path(job_id, _TRANSCRIPT), content.encode())

    def delete_transcript(self, job_id: str) -> None:
        """Harmless when there is none."""
        self._path(job_id, _TRANSCRIPT).unlink(missing_ok=True)

    def delete(self, job_id: str) -> None:
        """Harmless when there is none."""
        for ending in (_TRANSCRIPT, _FILES, _OWED):
            self._path(job_id, ending).unlink(missing_ok=True)

    def owe_files(self, job_id: str) -> None:
        self._path(job_id, _OWED).touch(mode=0o600)
        sync_folder(self._folder)

    def owing(self) -> list[str]:
        """Ids of the jobs whose files are owed."""
        return [path.stem for path in self._folder.glob(f"*{_OWED}")]

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

    def _path(self, job_id: str, ending: str) -> Path:
        return self._folder / f"{job_id}{ending}"
