"""The data folder: its layout, what it knows of its database, and the lock of its one user."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from voice_transcriber.errors import ConfigurationError, DataFolderBusy
from voice_transcriber.files import take_rights_of_others, write_durably

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class FolderState:
    """What the folder knows of its database, in a file of its own."""

    database_id: str
    revision: int  # noted from time to time: the folder's own database has at least this one
    stopped: bool  # whoever used it last closed it in order
    recovering: bool = False  # jobs that an older database does not know are still to come back


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
    def backups(self) -> Path:
        """Copies of the database."""
        return self.root / "backups"

    @property
    def quarantine(self) -> Path:
        """Databases that could not be used, or were replaced."""
        return self.root / "quarantine"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def engine_log(self) -> Path:
        """What the engine's child prints."""
        return self.logs / "engine.log"

    @property
    def child_temp(self) -> Path:
        """Where child processes make their temporary files."""
        return self.root / "child-tmp"

    def create(self) -> None:
        """Raises ConfigurationError when the folder cannot be made or written."""
        try:
            for folder in self._all:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"The data folder {self.root} cannot be used: {error.strerror}.",
                remedy="DATA_DIR: name a folder that this user may write.",
            ) from error

    @property
    def _all(self) -> Sequence[Path]:
        return (
            self.root,
            self.blobs,
            self.work,
            self.transcripts,
            self.temp,
            self.logs,
            self.child_temp,
        )

    def take_over(self) -> None:
        """Remove what dead children left, and take rights on the folder from other users.

        Nobody else gets past the root; what is below it is private too, wherever it is moved. Only
        who holds the lock may call it. Raises OSError.
        """
        shutil.rmtree(self.child_temp)
        self.child_temp.mkdir(mode=0o700)
        files = [path for folder in (self.root, self.logs) for path in folder.iterdir()]
        private = [*self._all, *(path for path in files if path.is_file())]
        if opened := [path for path in private if take_rights_of_others(path)]:
            names = ", ".join(map(str, opened))
            log.warning("Other users had rights on %s, which were taken away.", names)

    def state(self) -> FolderState | None:
        """None when nothing is known, which a damaged file is as well. Raises OSError."""
        try:
            return FolderState(**json.loads(self._state.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def note(self, state: FolderState) -> None:
        """Durably. Raises OSError."""
        write_durably(self._state, json.dumps(asdict(state)).encode())

    @property
    def _state(self) -> Path:
        return self.root / "state.json"

    def lock(self) -> FileLock:
        """Own the folder until release() or the end of the process.

        Raises DataFolderBusy, ConfigurationError.
        """
        lock = FileLock(self.root / "instance.lock", timeout=0, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            raise DataFolderBusy(
                f"Another instance of this program uses the data folder {self.root}."
            ) from None
        except OSError as error:
            raise ConfigurationError(
                f"The data folder {self.root} cannot be written: {error.strerror}.",
                remedy="DATA_DIR: name a folder that this user may write, on a disk that is not "
                "read-only.",
            ) from error
        return lock
