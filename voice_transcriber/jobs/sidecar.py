"""Finished transcripts as files beside the database, from which they can be rebuilt."""

from __future__ import annotations

import json
from pathlib import Path

from voice_transcriber.files import write_durably
from voice_transcriber.transcript.model import Transcript


class Sidecars:
    """One JSON file for each finished job."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, job_id: str, transcript: Transcript) -> None:
        data = json.dumps(transcript.to_dict(), ensure_ascii=False).encode()
        write_durably(self._path(job_id), data)

    def delete(self, job_id: str) -> None:
        """Harmless when there is none."""
        self._path(job_id).unlink(missing_ok=True)

    def _path(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.json"
