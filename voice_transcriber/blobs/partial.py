"""Uploads that come in pieces, as files beside the blobs: `<folder>/uploads/<id>`.

The rename into the store makes a finished one a blob, so the disk never holds it twice.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from voice_transcriber.blobs.base import StoredBlob
from voice_transcriber.errors import NotFound
from voice_transcriber.files import file_sha256, full_disk_told, sync_folder

if TYPE_CHECKING:
    from hashlib import _Hash

    from voice_transcriber.blobs.local import LocalBlobs

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass
class _Running:
    """The hash of a file so far; the first bytes of a file need not be read again at its end."""

    hashed_bytes: int = 0
    hash: _Hash = field(default_factory=hashlib.sha256)


class LocalPartials:
    """Keeps the contract of blobs.base.PartialStore."""

    def __init__(self, folder: Path, blobs: LocalBlobs) -> None:
        """`folder` is that of `blobs`. Raises DiskFull."""
        self._folder = folder / "uploads"
        self._blobs = blobs
        self._running: dict[str, _Running] = {}
        with full_disk_told():
            self._folder.mkdir(mode=0o700, exist_ok=True)
            sync_folder(folder)

    def create(self, upload_id: str) -> None:
        with full_disk_told():
            os.close(os.open(self._path(upload_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            sync_folder(self._folder)
        self._running[upload_id] = _Running()

    def append(self, upload_id: str, *, offset_bytes: int, pieces: Iterable[bytes]) -> int:
        path = self._existing(upload_id)
        if path.stat().st_size < offset_bytes:
            raise _gone()
        running = self._running.pop(upload_id, None)
        with full_disk_told(), path.open("r+b", buffering=0) as file:
            file.truncate(offset_bytes)  # what a dead process had not acknowledged
            file.seek(offset_bytes)
            try:
                hash_ = running.hash if running and running.hashed_bytes == offset_bytes else None
                written = _write(file, pieces, hash_)
            except BaseException:
                file.truncate(offset_bytes)
                raise
            os.fsync(file.fileno())
        if hash_:
            self._running[upload_id] = _Running(offset_bytes + written, hash_)
        return written

    def sha256(self, upload_id: str, *, size_bytes: int) -> str:
        path = self._existing(upload_id)
        if path.stat().st_size != size_bytes:
            raise _gone()
        running = self._running.get(upload_id)
        if running and running.hashed_bytes == size_bytes:
            return running.hash.hexdigest()
        return file_sha256(path)

    def adopt(self, upload_id: str, sha256: str) -> StoredBlob:
        part = self._path(upload_id)
        if part.is_file():
            # A clean-up that does not know the blob yet leaves it alone while it is young.
            os.utime(part)
            with full_disk_told():
                self._blobs.adopt(part, sha256)
            self._running.pop(upload_id, None)
            return self._stored(sha256)
        stored = self._stored(sha256)
        with full_disk_told():
            self._blobs.sync(sha256)
        return stored

    def delete(self, upload_id: str) -> None:
        self._path(upload_id).unlink(missing_ok=True)
        self._running.pop(upload_id, None)

    def delete_unnamed(self, named: Collection[str], *, older_than_s: float) -> int:
        limit = time.time() - older_than_s
        strays = [path for path in self._folder.iterdir() if path.name not in named]
        old = []
        for path in strays:
            with suppress(FileNotFoundError):
                if path.stat().st_mtime <= limit:
                    path.unlink()
                    old.append(path)
        return len(old)

    def _stored(self, sha256: str) -> StoredBlob:
        return StoredBlob(sha256=sha256, size_bytes=self._blobs.path(sha256).stat().st_size)

    def _path(self, upload_id: str) -> Path:
        if not _ID.fullmatch(upload_id):
            raise NotFound("There is no such upload.")
        return self._folder / upload_id

    def _existing(self, upload_id: str) -> Path:
        path = self._path(upload_id)
        if not path.is_file():
            raise _gone()
        return path


def _gone() -> NotFound:
    return NotFound("Bytes of the upload are gone.", remedy="Begin the upload again.")


def _write(file: BinaryIO, pieces: Iterable[bytes], hash_: _Hash | None) -> int:
    written = 0
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            rest = rest[file.write(rest) :]
        if hash_:
            hash_.update(piece)
        written += len(piece)
    return written
