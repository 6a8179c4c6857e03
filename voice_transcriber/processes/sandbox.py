"""What a child process gives up before it meets a stranger's file, or for good (Linux).

Each part is used where the kernel has it; `protections` says which. macOS and Windows have none of
them: the limits (processes.limits) and the lists of formats and protocols remain.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_transcriber.errors import InternalError
from voice_transcriber.processes import landlock, seccomp

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Protection:
    """One part of the sandbox on this machine."""

    name: str
    active: bool
    effect: str


def protections() -> Sequence[Protection]:
    """What children are kept from here."""
    filters = seccomp.is_available()
    return (
        Protection(
            "seccomp",
            filters,
            "the decoder starts no process and opens no connection; the engine has no network",
        ),
        Protection(
            "landlock", landlock.version() > 0, "the decoder opens no file but the recording"
        ),
        Protection(
            "landlock network",
            landlock.guards_network(),
            "a second lock on the decoder's connections",
        ),
    )


def describe() -> str:
    """The active parts, in a line."""
    return ", ".join(part.name for part in protections() if part.active) or "none on this system"


def log_protections() -> None:
    """Say at the start what children are kept from, and on Linux what is missing."""
    log.info("Sandbox of the child processes: %s.", describe())
    missing = [f"{part.name} ({part.effect})" for part in protections() if not part.active]
    if missing and sys.platform.startswith("linux"):
        log.warning("The kernel lacks parts of the sandbox: %s.", "; ".join(missing))


def read_only_this(path: Path) -> None:
    """Leave this process one file that it may open, and no other way out than its channel.

    What is open stays so. It must have one thread. Raises InternalError when the kernel has a part
    and refuses it: then nobody should go on; OSError when `path` is not there.
    """
    wanted = {part.name: part.active for part in protections()}
    _demand("landlock", wanted["landlock"], landlock.leave_only([path]))
    _demand("seccomp", wanted["seccomp"], seccomp.permit_only_reading())


def refuse_network() -> None:
    """No connection of this process or its children leaves the machine. Raises InternalError.

    Call it before there are threads.
    """
    _demand("seccomp", seccomp.is_available(), seccomp.refuse_network())


def _demand(name: str, is_available: bool, is_active: bool) -> None:
    if is_available and not is_active:
        raise InternalError(f"The sandbox could not be closed: {name} was refused by the system.")
