"""The downloads that go on: one for each file, shared by all that wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from filelock import FileLock, Timeout

from voice_transcriber.engines.download import Download, Source, part_path
from voice_transcriber.errors import (
    DownloadStopped,
    TranscriberError,
    WrongState,
    error_from_code,
)

_POLL_S = 0.2


class TransferState(StrEnum):
    ABSENT = "absent"  # what came of an earlier try is kept
    DOWNLOADING = "downloading"
    PRESENT = "present"
    FAILED = "failed"  # the last try; the next one goes on from there


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """How far a file is."""

    state: TransferState
    done_bytes: int
    total_bytes: int
    bytes_per_s: float = 0.0
    error: TranscriberError | None = None  # of a failed one

    @property
    def percent(self) -> float:
        if self.state is TransferState.PRESENT:
            return 100.0
        return round(min(100 * self.done_bytes / self.total_bytes, 100.0), 1)


class Transfers:
    """Methods may be called from any thread."""

    def __init__(self, *, free_bytes: Callable[[Path], int], retry_base_s: float) -> None:
        self._free_bytes = free_bytes
        self._retry_base_s = retry_base_s
        self._lock = threading.Lock()
        self._newest: dict[Path, Download] = {}

    def fetch(
        self,
        source: Source,
        target: Path,
        *,
        on_progress: Callable[[int, int], None],
        should_stop: Callable[[], bool],
    ) -> None:
        """Wait for the file's one download; the file may still be missing when it was given up
        just before. Raises what Checkpoints.ensure names.
        """
        download = self._join(source, target)
        try:
            _wait(download, on_progress, should_stop)
        finally:
            self._leave(download)

    def look(self, source: Source, target: Path) -> Transfer:
        """How far the file is now."""
        if target.is_file():
            size_bytes = target.stat().st_size
            return Transfer(
                state=TransferState.PRESENT, done_bytes=size_bytes, total_bytes=size_bytes
            )
        download = self._newest.get(target)
        if download is not None and download.waiting > 0 and not download.ended.is_set():
            return Transfer(
                state=TransferState.DOWNLOADING,
                done_bytes=download.done_bytes,
                total_bytes=download.total_bytes,
                bytes_per_s=round(download.rate.per_s(download.done_bytes)),
            )
        error = download.error if download is not None else None
        return Transfer(
            state=TransferState.FAILED if error else TransferState.ABSENT,
            done_bytes=_size_of(part_path(target)),
            total_bytes=download.total_bytes if download is not None else source.size_bytes,
            error=error,
        )

    def delete(self, target: Path) -> None:
        """Remove the file and what came of it. Raises WrongState while it is being downloaded."""
        with _sole_use(target):
            target.unlink(missing_ok=True)
            part_path(target).unlink(missing_ok=True)
        with self._lock:
            self._newest.pop(target, None)  # how it failed is of no interest any more

    def _join(self, source: Source, target: Path) -> Download:
        with self._lock:
            download = self._newest.get(target)
            if download is not None and not download.ended.is_set():
                download.waiting += 1
                return download
            download = self._newest[target] = Download(
                source, target, free_bytes=self._free_bytes, retry_base_s=self._retry_base_s
            )
        # A thread of its own: a waiter can leave at once, however long the network is silent.
        threading.Thread(target=download.run, name=f"download-{target.name}", daemon=True).start()
        return download

    def _leave(self, download: Download) -> None:
        with self._lock:
            download.waiting -= 1


@contextmanager
def _sole_use(target: Path) -> Iterator[None]:
    """No download of the file, in this process or another, goes on inside. Raises WrongState."""
    lock = FileLock(target.with_name(f"{target.name}.lock"))  # the one that a download takes
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise WrongState(
            f"{target.name} is being downloaded.",
            remedy="Cancel the download and the jobs that wait for it, then try again.",
        ) from None
    try:
        yield
    finally:
        lock.release()


def _wait(
    download: Download,
    on_progress: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> None:
    ended = False
    while not ended:
        if should_stop():
            raise DownloadStopped
        ended = download.ended.wait(_POLL_S)
        on_progress(download.done_bytes, download.total_bytes)
    if download.error is not None:  # each waiter raises an exception of its own
        error = download.error
        raise error_from_code(error.code, error.message, error.remedy) from error


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
