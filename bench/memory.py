"""Memory of the web process: idle, and over large uploads."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from bench.app import App, running_app
from bench.recordings import SAMPLE_RATE
from bench.tables import Bound

LIMIT_MB = 150
UPLOAD_MB = 300
UPLOADS = 3


def web_memory_bounds(folder: Path) -> list[Bound]:
    upload = write_silent_wav(folder / "silence.wav", size_mb=UPLOAD_MB)
    with running_app(folder) as app:
        idle_mb = _rss_mb(app.process)
        with PeakMemory(app.process) as peak:
            for _ in range(UPLOADS):
                _upload(app, upload)
        after_mb = _rss_mb(app.process)
    return [
        _bound("web process, idle", idle_mb, "resident"),
        _bound(
            f"web process, over {UPLOADS} uploads of {UPLOAD_MB} MB",
            peak.peak_mb,
            f"largest resident; {after_mb:.0f} MB afterwards",
        ),
    ]


class PeakMemory:
    """The largest resident memory of a process while the block runs."""

    interval_s = 0.02

    def __init__(self, process: psutil.Process) -> None:
        self.peak_mb = 0.0
        self._process = process
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            try:
                self.peak_mb = max(self.peak_mb, self.now_mb())
            except psutil.Error:  # it has ended
                return
            time.sleep(self.interval_s)

    def now_mb(self) -> float:
        return _rss_mb(self._process)


def write_silent_wav(path: Path, *, size_mb: int) -> Path:
    """A true recording of that size, which costs the disk nothing: its samples are a hole."""
    data_bytes = size_mb * 1_000_000 - 44
    rate, block = SAMPLE_RATE.to_bytes(4, "little"), (2).to_bytes(2, "little")
    header = b"RIFF" + (data_bytes + 36).to_bytes(4, "little") + b"WAVEfmt "
    header += (16).to_bytes(4, "little") + (1).to_bytes(2, "little") * 2 + rate
    header += (2 * SAMPLE_RATE).to_bytes(4, "little") + block + (16).to_bytes(2, "little")
    with path.open("wb") as file:
        file.write(header + b"data" + data_bytes.to_bytes(4, "little"))
        file.truncate(size_mb * 1_000_000)
    return path


def _upload(app: App, path: Path) -> None:
    app.submit(path, language="en")
    app.cancel_all()


def _rss_mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


def _bound(name: str, measured_mb: float, detail: str) -> Bound:
    return Bound(
        name=name,
        measured=f"{measured_mb:.0f} MB",
        limit=f"<= {LIMIT_MB} MB",
        kept=measured_mb <= LIMIT_MB,
        detail=detail,
    )
