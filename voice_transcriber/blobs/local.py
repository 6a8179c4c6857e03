"""Blobs as files in a folder that one process owns.

`<folder>/incoming/<random>.part` while an upload comes, then
`<folder>/<first two digits>/<sha256>`.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from voice_transcriber import kill_points
from voice_transcriber.blobs.base import StoredBlob
from voice_transcriber.errors import NotFound
from voice_transcriber.files import full_disk_told, sync_folder

_SHA256 = re.compile(r"[0-9a-f]{64}")


class LocalBlobs:
    """Keeps the contract of blobs.base.BlobStore."""

    def __init__(self, folder: Path) -> None:
        """Make the folder where it is missing. Raises DiskFull."""
        self._folder = folder
        self._incoming = folder / "incoming"
        # Holds while a blob is looked for and then kept or removed: without it, an
        # upload could count on a file that a clean-up is about to remove.
        self._lock = Lock()
        with full_disk_told():
            self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            sync_folder(folder.parent)

    def writer(self) -> LocalBlobWriter:
        """Raises DiskFull."""
        with full_disk_told():
            return LocalBlobWriter(self, self._incoming / f"{secrets.token_hex(16)}.part")

    def path(self, sha256: str) -> Path:
        path = self._address(sha256)
        if path is None or not path.is_file():
            raise NotFound("There is no such file in the store.")
        return path

    def delete(self, sha256: str) -> None:
        path = self._address(sha256)
        if path is None:
            return
        with self._lock:
            path.unlink(missing_ok=True)

    def all(self) -> Iterator[str]:
        for path in self._folder.glob("??/*"):
            if _SHA256.fullmatch(path.name):
                yield path.name

    def delete_stray_parts(self, *, older_than_s: float) -> int:
        parts = list(self._incoming.glob("*.part"))
        return sum(self._delete_old(part, older_than_s) for part in parts)

    def delete_unused(self, in_use: Collection[str], *, older_than_s: float) -> int:
        unused = [sha256 for sha256 in self.all() if sha256 not in in_use]
        return sum(
            self._delete_old(self._folder / sha256[:2] / sha256, older_than_s) for sha256 in unused
        )

    def adopt(self, part: Path, sha256: str) -> None:
        """Move a closed file to its address, durably.

        What has that address already is the same: it stays, and counts as new.
        """
        target = self._folder / sha256[:2] / sha256
        is_flushed = not target.is_file()
        if is_flushed:
            _flush(part)  # not under the lock, which all uploads share
            kill_points.reached("after-fsync")
        with self._lock:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            if target.is_file():
                os.utime(target)
                part.unlink()
            else:
                if not is_flushed:  # the target was deleted meanwhile
                    _flush(part)
                part.replace(target)
                kill_points.reached("after-rename")
        self.sync(sha256)

    def sync(self, sha256: str) -> None:
        """Flush a blob's name, also of one that was there: its process may have died before."""
        sync_folder(self._folder / sha256[:2])
        sync_folder(self._folder)

    def _address(self, sha256: str) -> Path | None:
        return self._folder / sha256[:2] / sha256 if _SHA256.fullmatch(sha256) else None

    def _delete_old(self, path: Path, older_than_s: float) -> bool:
        with self._lock, suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime >= older_than_s:
                path.unlink()
                return True
        return False


class LocalBlobWriter:
    """Keeps the contract of blobs.base.BlobWriter; used by one thread."""

    def __init__(self, blobs: LocalBlobs, part: Path) -> None:
        self._blobs = blobs
        self._part = part
        self._hash = hashlib.sha256()
        self._size_bytes = 0
        # Unbuffered: what a buffer holds on a full disk fails again when it is closed.
        self._file = open(part, "xb", buffering=0, opener=_open_private)  # noqa: SIM115

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def write(self, data: bytes) -> int:
        with self._discarded_on_error():
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
        self._hash.update(data)
        self._size_bytes += len(data)
        return len(data)

    def commit(self) -> StoredBlob:
        sha256 = self._hash.hexdigest()
        with self._discarded_on_error():
            self._file.close()
            self._blobs.adopt(self._part, sha256)
        return StoredBlob(sha256=sha256, size_bytes=self._size_bytes)

    def discard(self) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)

    @contextmanager
    def _discarded_on_error(self) -> Iterator[None]:
        try:
            with full_disk_told():
                yield
        except BaseException:
            self.discard()
            raise


def _flush(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
