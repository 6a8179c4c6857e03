"""What a child process gives up before it meets a stranger's file, or for good (Linux).

Each part is used where the kernel has it; `protections` tries which can be had. macOS and Windows
have none of them: the limits (processes.limits) and the lists of formats and protocols remain.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from voice_transcriber.errors import ConfigurationError, InternalError
from voice_transcriber.processes import landlock, sandbox_trial, seccomp
from voice_transcriber.processes.sandbox_trial import LANDLOCK, SECCOMP

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Protection:
    """One part of the sandbox on this machine."""

    name: str
    active: bool
    effect: str
    refused: bool = False  # the kernel says that it has it, and does not install it


@cache
def protections() -> Sequence[Protection]:
    """What children are kept from here; the first call tries it in a child, in some 50 ms."""
    offered = _offered()
    installed = _installed(offered)
    return (
        Protection(
            SECCOMP,
            SECCOMP in installed,
            "the decoder starts no process and opens no connection; the engine has no network",
            refused=SECCOMP in offered - installed,
        ),
        Protection(
            LANDLOCK,
            LANDLOCK in installed,
            "the decoder opens no file but the recording",
            refused=LANDLOCK in offered - installed,
        ),
        Protection(
            "landlock network",
            LANDLOCK in installed and landlock.guards_network(),
            "a second lock on the decoder's connections",
        ),
    )


def describe() -> str:
    """The active parts, in a line."""
    return ", ".join(part.name for part in protections() if part.active) or "none on this system"


def log_protections() -> None:
    """Say at the start what children are kept from, and on Linux what is missing.

    Raises ConfigurationError when the kernel has a part and refuses it: no child would work.
    """
    refused = " and ".join(part.name for part in protections() if part.refused)
    if refused:
        raise ConfigurationError(
            f"The sandbox of the child processes cannot be closed: the kernel has {refused} "
            "and refuses to install it.",
            remedy=f"Let the container's or service's security profile permit {refused} "
            "(docker run --security-opt seccomp=...), or update the kernel, and start again.",
        )
    log.info("Sandbox of the child processes: %s.", describe())
    missing = [f"{part.name} ({part.effect})" for part in protections() if not part.active]
    if missing and sys.platform.startswith("linux"):
        log.warning("The kernel lacks parts of the sandbox: %s.", "; ".join(missing))


def _offered() -> frozenset[str]:
    """What the kernel says that it has."""
    found = {SECCOMP: seccomp.is_available(), LANDLOCK: landlock.version() > 0}
    return frozenset(name for name, is_there in found.items() if is_there)


def _installed(offered: frozenset[str]) -> frozenset[str]:
    if not offered:
        return offered
    try:
        return sandbox_trial.installed()
    except OSError as error:  # no memory or no process left: children say it themselves
        log.warning("The sandbox of the child processes could not be tried: %s.", error)
        return offered


def read_only_this(path: Path) -> None:
    """Leave this process one file that it may open, and no other way out than its channel.

    What is open stays so. It must have one thread. Raises InternalError when the kernel has a part
    and refuses it: then nobody should go on; OSError when `path` is not there.
    """
    offered = _offered()
    _demand(LANDLOCK, LANDLOCK in offered, landlock.leave_only([path]))
    _demand(SECCOMP, SECCOMP in offered, seccomp.permit_only_reading())


def refuse_network() -> None:
    """No connection of this process or its children leaves the machine. Raises InternalError.

    Call it before there are threads.
    """
    _demand(SECCOMP, seccomp.is_available(), seccomp.refuse_network())


def _demand(name: str, is_available: bool, is_active: bool) -> None:
    if is_available and not is_active:
        raise InternalError(f"The sandbox could not be closed: {name} was refused by the system.")
