"""Starts child processes from one thread that lives as long as the app.

Linux ends a child that asked for PR_SET_PDEATHSIG when the *thread* that
created it ends, not the process; so every child is created by this thread.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from voice_transcriber.processes.channel import Channel

_IMPORT_ROOT = Path(__file__).resolve().parents[2]  # where `python -m voice_transcriber...` works


@dataclass(frozen=True)
class Child:
    """A running child and the channel to it."""

    process: subprocess.Popen[bytes]
    channel: Channel

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """SIGKILL and reap; harmless when it is dead already."""
        self.process.kill()
        self.process.wait()


class Spawner:
    """The one creator of children."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")

    def start(
        self,
        module: str,
        arguments: Sequence[str] = (),
        *,
        log: IO[bytes] | int | None = None,
    ) -> Child:
        """Run `python -m module arguments`; what the child prints goes to `log` (default: stderr).

        The child takes its stdin and stdout away for the channel before it
        imports anything (processes.child_side), so prints cannot disturb it.
        Paths in `arguments` must be absolute.
        """
        return self._thread.submit(self._spawn, module, arguments, log).result()

    def stop(self) -> None:
        """End the thread; children that still run end with it."""
        self._thread.shutdown()

    @staticmethod
    def _spawn(
        module: str,
        arguments: Sequence[str],
        log: IO[bytes] | int | None,
    ) -> Child:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=_IMPORT_ROOT,
            start_new_session=True,
        )
        return Child(
            process, Channel(cast(BinaryIO, process.stdout), cast(BinaryIO, process.stdin))
        )
