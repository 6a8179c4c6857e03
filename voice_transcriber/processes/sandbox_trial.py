"""Whether the system lets a process confine itself, tried in one that is thrown away.

    python -m voice_transcriber.processes.sandbox_trial

It closes the sandbox of a decoder around itself and names each part that was installed, a line
each. A kernel, or a container around it, may say that it has a part and refuse it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from voice_transcriber.processes import landlock, seccomp

LANDLOCK, SECCOMP = "landlock", "seccomp"
_LIMIT_S = 20.0
_IMPORT_ROOT = Path(__file__).resolve().parents[2]


def installed() -> frozenset[str]:
    """The parts that a child could install, in some 50 ms. Raises OSError when none can run."""
    try:
        trial = subprocess.run(
            [sys.executable, "-S", "-m", __name__],
            cwd=_IMPORT_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError("The trial of the sandbox took too long.") from error
    return frozenset(trial.stdout.decode("ascii", "replace").split())


def _confine_this() -> None:
    if landlock.leave_only([Path(__file__)]):
        _report(LANDLOCK)
    if seccomp.permit_only_reading():
        _report(SECCOMP)


def _report(name: str) -> None:
    os.write(sys.stdout.fileno(), f"{name}\n".encode())


if __name__ == "__main__":
    _confine_this()
