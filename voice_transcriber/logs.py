"""The log: lines on standard error and, of a server, in files of bounded size and age.

What a client sends can stand in a line, never make one: control characters are escaped.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

PERFORMANCE_LOGGER = "voice_transcriber.performance"
LOG_NAME = "server.log"
FILES = 100  # that the log is cut into; the oldest goes when there is one more
DAY_S = 86_400

_HIDDEN = "(secret)"


def set_up_logging(*, level: str, instance_id: str, secrets: Sequence[str] = ()) -> None:
    """Call once, before anything is logged. `secrets` are never written, wherever they stand."""
    handler = logging.StreamHandler()
    handler.setFormatter(SafeFormatter(instance_id, secrets))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Its lines are written only when LOG_PERFORMANCE_METRICS is on, and then always.
    logging.getLogger(PERFORMANCE_LOGGER).setLevel(logging.INFO)
    # At DEBUG it writes the headers of HTTP/2, among them the key of a remote engine.
    logging.getLogger("hpack").setLevel(logging.WARNING)
    # Under load it writes a line for each request that waits.
    logging.getLogger("waitress.queue").addFilter(Seldom(pause_s=60.0))


def log_to_folder(folder: Path, *, size_bytes: int, days: int) -> None:
    """Write the same lines to files in `folder` too, which this process owns."""
    root = logging.getLogger()
    handler = BoundedFileHandler(folder / LOG_NAME, size_bytes=size_bytes, days=days)
    handler.setFormatter(root.handlers[0].formatter)
    root.addHandler(handler)


def log_dead_threads() -> None:
    """From now on a thread that ends by an error that nobody caught is told in the log."""
    threading.excepthook = _log_death


def _log_death(death: threading.ExceptHookArgs) -> None:
    if death.exc_type is SystemExit or death.exc_value is None:
        return
    name = death.thread.name if death.thread else "unknown"
    found = (death.exc_type, death.exc_value, death.exc_traceback)
    logging.getLogger(__name__).critical("The thread %s has died.", name, exc_info=found)


class SafeFormatter(logging.Formatter):
    """One line for a record; a traceback follows in lines that are indented."""

    def __init__(self, instance_id: str, secrets: Sequence[str] = ()) -> None:
        super().__init__(f"%(asctime)s {instance_id} %(levelname)s %(name)s: %(message)s")
        self._secrets = [secret for secret in secrets if secret]

    def formatMessage(self, record: logging.LogRecord) -> str:
        return self._safe(super().formatMessage(record))

    def formatException(self, ei: object) -> str:
        return self._indented(super().formatException(ei))  # type: ignore[arg-type]

    def formatStack(self, stack_info: str) -> str:
        return self._indented(super().formatStack(stack_info))

    def _indented(self, text: str) -> str:
        return "\n".join(f"    {self._safe(line)}" for line in text.split("\n"))

    def _safe(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        if text.isprintable():
            return text
        return "".join(
            sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
        )


class Seldom(logging.Filter):
    """Lets one record through, and the next one after a pause."""

    def __init__(self, *, pause_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._pause_s = pause_s
        self._clock = clock
        self._next_at = -math.inf

    def filter(self, record: logging.LogRecord) -> bool:
        now = self._clock()
        if now < self._next_at:
            return False
        self._next_at = now + self._pause_s
        return True


class BoundedFileHandler(RotatingFileHandler):
    """A new file each day, and when one is full; the oldest go by their number and their age."""

    def __init__(self, path: Path, *, size_bytes: int, days: int) -> None:
        """`size_bytes` is for all files together. Raises OSError."""
        self._days = days
        self._day = _day_of(path)
        super().__init__(
            path, maxBytes=size_bytes // FILES, backupCount=FILES - 1, encoding="utf-8"
        )
        self._delete_old()

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        return self._day != _today() or bool(super().shouldRollover(record))

    def doRollover(self) -> None:
        super().doRollover()
        self._day = _today()
        self._delete_old()

    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk: standard error has the line."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return open(descriptor, "a", encoding="utf-8")

    def _delete_old(self) -> None:
        limit = time.time() - self._days * DAY_S
        path = Path(self.baseFilename)
        for old in path.parent.glob(f"{path.name}.*"):
            if old.stat().st_mtime <= limit:
                old.unlink(missing_ok=True)


def _today() -> int:
    return int(time.time() // DAY_S)


def _day_of(path: Path) -> int:
    """The day of a file's last line; today's when there is none."""
    try:
        return int(path.stat().st_mtime // DAY_S)
    except FileNotFoundError:
        return _today()
