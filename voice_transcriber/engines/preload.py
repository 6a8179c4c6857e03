"""Brings models into memory when the app starts, while it already serves."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from voice_transcriber.engines.checkpoints import Checkpoints
from voice_transcriber.engines.protocol import LoadRequest
from voice_transcriber.engines.speech import SpeechEngine
from voice_transcriber.errors import DownloadStopped, TranscriberError

log = logging.getLogger(__name__)


class Preloader:
    """A thread that loads and warms one model after another; a missing one is downloaded first.

    A model that cannot be loaded is told in the log and left to the jobs that ask for it.
    """

    def __init__(
        self, names: Sequence[str], *, checkpoints: Checkpoints, engine: SpeechEngine
    ) -> None:
        self._names = names
        self._checkpoints = checkpoints
        self._engine = engine
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="preload", daemon=True)

    def start(self) -> None:
        if self._names:
            self._thread.start()

    def stop(self) -> None:
        """Begin no further model; one that the engine loads now is given up with the engine."""
        self._stopping.set()

    def _run(self) -> None:
        for name in self._names:
            try:
                self._load(name)
            except DownloadStopped:
                return
            except TranscriberError as error:
                if not self._stopping.is_set():
                    log.error("PRELOAD_MODELS: %s: %s %s", name, error.message, error.remedy)

    def _load(self, name: str) -> None:
        path = self._checkpoints.ensure(
            name, on_progress=lambda done, total: None, should_stop=self._stopping.is_set
        )
        if self._stopping.is_set():
            return
        reply = self._engine.call(LoadRequest(model=name, checkpoint=str(path)))
        log.info("The model %s is in memory: %s", name, dict(reply.stages_s))
