"""Named places at which a test lets the process die, as by SIGKILL; without a test nothing happens.

What a power switch or the kernel's memory killer does at any moment, a test does here at a
chosen one: between the flush of a file and its name, or between a commit and its answer.
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass

from voice_transcriber.errors import ConfigurationError

POINTS = (
    "after-body",  # an upload was received as a whole
    "after-fsync",  # its content is on the disk, under no name
    "after-rename",  # and has its name
    "before-commit",  # a transaction of the database is about to become durable
    "after-commit",  # it is durable, and nobody was told
    "claimed",  # a worker has taken a job
    "child-started",  # an engine or a decoder was started
    "mid-window",  # the engine works on windows
    "windows-committed",  # finished windows are durable
    "result-written",  # the file of a transcript is written, its row is not
    "state-done",  # the job has ended, what it leaves in the work folder is still there
    "housekeeping",  # strays are being removed
    "migration-step",  # a statement of a schema's step is about to run
    "backup",  # the database's copy has no name yet
)


@dataclass
class _Armed:
    """The one place at which the process dies, and how often it is passed before that."""

    name: str
    left: int


_armed: _Armed | None = None
_lock = threading.Lock()


def arm(text: str) -> None:
    """`text` is NAME or NAME:COUNT (the COUNT-th time kills); empty: nothing happens.

    Raises ConfigurationError.
    """
    global _armed
    name, _, count = text.partition(":")
    if text and (name not in POINTS or not (count or "1").isdecimal()):
        raise ConfigurationError(
            f"KILL_AT={text} is no place at which the program can be killed.",
            remedy=f"KILL_AT is for tests of the program: leave it out, or give one of "
            f"{', '.join(POINTS)}, with :COUNT.",
        )
    _armed = _Armed(name, int(count or 1)) if text else None


def reached(name: str) -> None:
    """The place was passed. Does not return where a test wanted it so."""
    if _armed is None or _armed.name != name:
        return
    with _lock:
        _armed.left -= 1
        if _armed.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
