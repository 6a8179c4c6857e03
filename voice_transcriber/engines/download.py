"""Download of one published file: resumed, checked by its hash, moved into place at once."""

from __future__ import annotations

import hashlib
import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from voice_transcriber.errors import (
    DiskFull,
    InternalError,
    ModelDamaged,
    ModelUnavailable,
    TranscriberError,
)
from voice_transcriber.files import FULL_ERRNOS, free_bytes, rename_durably

if TYPE_CHECKING:
    import httpx

CONNECT_TIMEOUT_S = 30.0
READ_TIMEOUT_S = 60.0
MAX_TRIES = 3  # in a row without a byte gained
SPARE_BYTES = 64 * 10**6  # left free for the database and the uploads

_BUSY_STATUSES = frozenset({408, 425, 429})

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a file is published and how it is known to be whole."""

    url: str
    sha256: str
    size_bytes: int  # rounded, as published; the server's own figure counts once it has answered

    @property
    def file_name(self) -> str:
        return self.url.rsplit("/", 1)[-1]


def part_path(target: Path) -> Path:
    """Where a file grows until it is whole."""
    return target.with_name(f"{target.name}.part")


class Rate:
    """Bytes in a second over the last few seconds. One thread starts it; any may ask."""

    SPAN_S = 3.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._marks = ((clock(), 0), (clock(), 0))  # older and newer: time, bytes

    def restart(self, done_bytes: int) -> None:
        """What was there before does not count as speed."""
        now = self._clock()
        self._marks = ((now, done_bytes), (now, done_bytes))

    def per_s(self, done_bytes: int) -> float:
        older, newer = self._marks
        now = self._clock()
        if now - newer[0] >= self.SPAN_S:
            self._marks = (newer, (now, done_bytes))
        elapsed_s = now - older[0]
        return max(0.0, (done_bytes - older[1]) / elapsed_s) if elapsed_s > 0 else 0.0


class _Broken(Exception):
    """The answer ended early or was a passing refusal: worth another try."""


class Download:
    """One transfer of `source` to `target`; it goes on while `waiting` is above zero.

    `run` is called once, in a thread of its own; the fields may be read at any
    time. The partial file, `part_path(target)`, is kept when the transfer
    is given up or the network fails, and the next one goes on from its end.
    """

    def __init__(
        self,
        source: Source,
        target: Path,
        *,
        free_bytes: Callable[[Path], int] = free_bytes,
        retry_base_s: float = 1.0,
    ) -> None:
        self.waiting = 1  # threads that wait for it; counted by them, under a lock of theirs
        self.done_bytes = 0
        self.total_bytes = source.size_bytes
        self.rate = Rate()
        self.ended = threading.Event()
        self.error: TranscriberError | None = None  # None after the end: done, or nobody wanted it
        self._source = source
        self._target = target
        self._part = part_path(target)
        self._free_bytes = free_bytes
        self._retry_base_s = retry_base_s

    def run(self) -> None:
        """Thread top: never raises, the outcome is in `error`."""
        try:
            self._download()
        except TranscriberError as error:
            self.error = error
        except OSError as error:
            self.error = self._named(error)
        except Exception:
            log.exception("download of %s failed", self._target.name)
            self.error = InternalError()
        finally:
            self.ended.set()

    def _download(self) -> None:
        self._target.parent.mkdir(parents=True, exist_ok=True)
        with self._sole_owner() as is_owner:
            if not is_owner or self._target.is_file():
                return
            if self._fetch():
                self._check_hash()
                rename_durably(self._part, self._target)

    @contextmanager
    def _sole_owner(self) -> Iterator[bool]:
        """True inside when no other process or thread writes this file; False: no longer wanted."""
        from filelock import FileLock, Timeout

        lock = FileLock(self._target.with_name(f"{self._target.name}.lock"))
        while self.waiting > 0:
            try:
                lock.acquire(timeout=0.5)
            except Timeout:
                self.done_bytes = self._part_bytes()
                continue
            try:
                yield True
            finally:
                lock.release()
            return
        yield False

    def _fetch(self) -> bool:
        """Bring the partial file to its full length; False when nobody wants it any more."""
        import httpx

        tries = furthest = 0
        timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        with httpx.Client(follow_redirects=True, timeout=timeout) as client:
            while self.waiting > 0:
                try:
                    return self._transfer(client)
                except (httpx.RequestError, _Broken) as error:
                    tries = 0 if self._part_bytes() > furthest else tries + 1
                    furthest = max(furthest, self._part_bytes())
                    if tries == MAX_TRIES:
                        raise self._unavailable(_reason(error)) from error
                    self._pause(tries)
        return False

    def _transfer(self, client: httpx.Client) -> bool:
        """One request. False when nobody wants it any more."""
        offset = self._part_bytes()
        # "identity": a compressed answer has other offsets and another hash
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        with client.stream("GET", self._source.url, headers=headers) as answer:
            if answer.status_code == 416 and _range_total(answer) == offset:
                return True
            start = self._accepted_start(answer, offset)
            length = int(answer.headers.get("Content-Length", 0))
            self.total_bytes = start + length if length else self._source.size_bytes
            self._check_space(self.total_bytes - start)
            return self._write(answer.iter_raw(), start)

    def _accepted_start(self, answer: httpx.Response, offset: int) -> int:
        """The position in the file at which the answer's body begins."""
        status = answer.status_code
        if status == 200:
            return 0
        if status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
            return offset
        if status in {206, 416}:
            self._part.unlink(missing_ok=True)
            raise _Broken("the server has another file than before")
        if status >= 500 or status in _BUSY_STATUSES:
            raise _Broken(f"the server answered {status}")
        raise self._unavailable(f"the server answered {status}")

    def _write(self, pieces: Iterator[bytes], start: int) -> bool:
        with self._part.open("r+b" if start else "wb") as file:
            file.seek(start)
            self.done_bytes = start
            self.rate.restart(start)
            for piece in pieces:
                if self.waiting == 0:
                    return False
                file.write(piece)
                self.done_bytes += len(piece)
            file.flush()
            os.fsync(file.fileno())
        return True

    def _check_space(self, needed_bytes: int) -> None:
        free = self._free_bytes(self._target.parent)
        if free < needed_bytes + SPARE_BYTES:
            raise self._disk_full(f"{needed_bytes / 1e6:.0f} MB are needed, {free / 1e6:.0f} free")

    def _check_hash(self) -> None:
        with self._part.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == self._source.sha256:
                return
        self._part.unlink()
        raise ModelDamaged(
            f"What was downloaded as {self._target.name} is not the published file.",
            remedy="Retry, which downloads it anew; if it happens again, something on the network "
            "changes the file: fetch it by another way and put it into WHISPER_MODEL_DIR.",
        )

    def _pause(self, tries: int) -> None:
        delay_s = self._retry_base_s * 2**tries * random.uniform(0.5, 1.0)
        time.sleep(delay_s)

    def _part_bytes(self) -> int:
        return self._part.stat().st_size if self._part.is_file() else 0

    def _unavailable(self, reason: str) -> ModelUnavailable:
        return ModelUnavailable(f"{self._target.name} could not be downloaded: {reason}.")

    def _disk_full(self, reason: str) -> DiskFull:
        return DiskFull(
            f"There is no room for {self._target.name} in the model folder: {reason}.",
            remedy="Free disk space, or set WHISPER_MODEL_DIR to a larger disk.",
        )

    def _named(self, error: OSError) -> TranscriberError:
        if error.errno in FULL_ERRNOS:
            self._part.unlink(missing_ok=True)
            return self._disk_full("the disk is full")
        return ModelUnavailable(
            f"{self._target.name} could not be written to the model folder: {error.strerror}.",
            remedy="Correct the rights of WHISPER_MODEL_DIR, or set it to another folder.",
        )


def _reason(error: Exception) -> str:
    import httpx

    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return "its server cannot be reached"
    return str(error) or type(error).__name__


def _range_total(answer: httpx.Response) -> int:
    """N of `Content-Range: bytes */N`, the file's whole length; -1 when it is not said."""
    total = answer.headers.get("Content-Range", "").rpartition("/")[2]
    return int(total) if total.isdecimal() else -1
