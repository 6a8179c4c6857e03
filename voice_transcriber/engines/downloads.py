"""Downloads that somebody asked for without a job: started, cancelled, ended with the app."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from voice_transcriber.engines.checkpoints import Checkpoints
from voice_transcriber.errors import (
    DownloadStopped,
    ShuttingDown,
    TranscriberError,
    WrongState,
)

_PATIENCE_S = 5.0

log = logging.getLogger(__name__)


class Downloads:
    """One thread for each model that is wanted; it waits as a job would, so both share a transfer.

    Methods may be called from any thread.
    """

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints
        self._lock = threading.Lock()
        self._wanted: dict[Path, _Wish] = {}
        self._stopped = False

    def start(self, name: str) -> None:
        """Begin, or go on where an earlier try ended; does nothing when it is there or on its way.

        Raises UnknownModel, Offline, ShuttingDown, and WrongState for what cannot be downloaded.
        """
        self._checkpoints.check_downloadable(name)
        path = self._checkpoints.path(name)
        with self._lock:
            if self._stopped:
                raise ShuttingDown
            if path.is_file() or path in self._wanted:
                return
            self._wanted[path] = wish = _Wish(name)
            wish.thread = threading.Thread(
                target=self._fetch, args=(path, wish), name=f"wanted-{name}", daemon=True
            )
            wish.thread.start()

    def is_wanted(self, name: str) -> bool:
        """Whether a download goes on that `cancel` would end."""
        return self._checkpoints.path(name) in self._wanted

    def cancel(self, name: str) -> None:
        """Give a download up; what came is kept. Jobs that wait for the same file go on waiting.

        Raises UnknownModel, and WrongState when nobody asked for the download.
        """
        self._checkpoints.resolve(name)
        with self._lock:
            wish = self._wanted.pop(self._checkpoints.path(name), None)
        if wish is None:
            raise WrongState(
                f"Nobody asked for a download of {name}.",
                remedy="Where a job waits for the model, cancel the job.",
            )
        wish.end()

    def stop(self) -> None:
        """Give all up and refuse further ones; what came is kept."""
        with self._lock:
            self._stopped = True
            wishes = list(self._wanted.values())
            self._wanted.clear()
        for wish in wishes:
            wish.end()

    def _fetch(self, path: Path, wish: _Wish) -> None:
        """Thread top; the error is kept with the transfer, where everybody sees it."""
        try:
            self._checkpoints.ensure(
                wish.name, on_progress=lambda done, total: None, should_stop=wish.given_up.is_set
            )
        except DownloadStopped:
            log.info("The download of %s was given up.", wish.name)
        except TranscriberError as error:
            log.warning("The download of %s failed: %s", wish.name, error.message)
        finally:
            with self._lock:
                if self._wanted.get(path) is wish:
                    del self._wanted[path]


class _Wish:
    thread: threading.Thread

    def __init__(self, name: str) -> None:
        self.name = name
        self.given_up = threading.Event()

    def end(self) -> None:
        """The waiting ends within a moment, however long the network is silent."""
        self.given_up.set()
        self.thread.join(_PATIENCE_S)
