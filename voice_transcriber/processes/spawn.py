"""Starts child processes from one thread that lives as long as the app.

Linux ends a child that asked for PR_SET_PDEATHSIG when the *thread* that
created it ends, not the process; so every child is created by this thread.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from voice_transcriber import kill_points
from voice_transcriber.processes.channel import Channel
from voice_transcriber.processes.environment import for_children

_IMPORT_ROOT = Path(__file__).resolve().parents[2]  # where `python -m voice_transcriber...` works
_PRIVATE = 0o077  # umask: what children write is for our user alone


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

    def __init__(self, temp_dir: Path | None = None) -> None:
        """Children make their temporary files in `temp_dir` (default: as the app does)."""
        self._temp_dir = temp_dir
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
        child = self._thread.submit(self._spawn, module, arguments, log).result()
        kill_points.reached("child-started")
        return child

    def stop(self) -> None:
        """End the thread; children that still run end with it."""
        self._thread.shutdown()

    def _spawn(
        self,
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
            env=for_children(
                os.environ, temp_dir=str(self._temp_dir.absolute()) if self._temp_dir else None
            ),
            umask=-1 if sys.platform == "win32" else _PRIVATE,
            start_new_session=True,
        )
        return Child(
            process, Channel(cast(BinaryIO, process.stdout), cast(BinaryIO, process.stdin))
        )
