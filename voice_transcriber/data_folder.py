"""The data folder: its layout, and the lock that gives it to one running instance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from voice_transcriber.errors import ConfigurationError, DataFolderBusy


@dataclass(frozen=True)
class DataFolder:
    """Paths below DATA_DIR."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "jobs.db"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    @property
    def work(self) -> Path:
        """Decoded audio of jobs that have not ended, a folder for each."""
        return self.root / "work"

    @property
    def transcripts(self) -> Path:
        return self.root / "transcripts"

    @property
    def temp(self) -> Path:
        """Where request bodies are spooled: on the same disk as the blobs."""
        return self.root / "tmp"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def create(self) -> None:
        """Raises ConfigurationError when the folder cannot be made or written."""
        try:
            for folder in (
                self.root,
                self.blobs,
                self.work,
                self.transcripts,
                self.temp,
                self.logs,
            ):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"The data folder {self.root} cannot be used: {error.strerror}.",
                remedy="DATA_DIR: name a folder that this user may write.",
            ) from error

    def lock(self) -> FileLock:
        """Own the folder until release() or the end of the process. Raises DataFolderBusy."""
        lock = FileLock(self.root / "instance.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise DataFolderBusy(
                f"Another instance of this program uses the data folder {self.root}."
            ) from None
        return lock
