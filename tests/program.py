"""app_main.py as people run it: in a process of its own, in a data folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.running import until

PROJECT = Path(__file__).resolve().parents[1]
LIMIT_S = 150.0


@dataclass
class Program:
    """Starts commands with the fake engine and the demo model, unless `settings` say otherwise."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """In `folder`, to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    @contextmanager
    def started(self, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
        """Running; killed at the end if it still does."""
        with subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    @contextmanager
    def serving(self) -> Iterator[None]:
        """A server on the data folder, which has announced itself."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.settings["PORT"] = str(free.getsockname()[1])
        with self.started("serve") as process:
            until((self.data_dir / "instance.json").exists)
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(LIMIT_S) == 0

    def command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, str(PROJECT / "app_main.py"), *map(str, arguments)]

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "ENGINE": "fake",
            "DEFAULT_MODEL": "demo",
            "ENABLE_CACHE": "false",
            "DATA_DIR": str(self.data_dir),
            "WHISPER_MODEL_DIR": str(self.folder / "models"),
            **self.settings,
        }
