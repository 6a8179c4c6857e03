"""The blob store's contract, and that of uploads on their way into it.

A contract suite each (tests/contract/test_blobs.py, test_partials.py) holds for every adapter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class StoredBlob:
    """A blob that is durable: its bytes and its name survive a power cut."""

    sha256: str
    size_bytes: int


class StagedBlob(Protocol):
    """The bytes of one upload, not yet a blob. Exactly one of commit and discard ends it."""

    @property
    def size_bytes(self) -> int: ...

    def commit(self) -> StoredBlob:
        """fsync, move to its address, fsync the folder. Raises DiskFull."""
        ...

    def discard(self) -> None:
        """Remove what was written; harmless after commit or a second time."""
        ...


class BlobWriter(StagedBlob, Protocol):
    """Takes the bytes of one upload as they come."""

    def write(self, data: bytes) -> int:
        """Raises DiskFull; the partial file is gone then."""
        ...


class BlobStore(Protocol):
    """Where uploads live. Methods may be called from any thread."""

    def writer(self) -> BlobWriter: ...

    def path(self, sha256: str) -> Path:
        """A local path to read the blob from. Raises NotFound."""
        ...

    def delete(self, sha256: str) -> None:
        """Harmless when it is gone already."""
        ...

    def all(self) -> Iterator[str]:
        """SHA-256 of every stored blob."""
        ...

    def delete_stray_parts(self, *, older_than_s: float) -> int:
        """Remove partial uploads that nobody has written to for so long. Returns their number."""
        ...

    def delete_unused(self, in_use: Collection[str], *, older_than_s: float) -> int:
        """Remove blobs that no job names, and return their number.

        Those younger than this stay: a job may be on its way.
        """
        ...


class PartialStore(Protocol):
    """Uploads that come in pieces, by ids of 32 hex digits; any other id is not found.

    Methods may be called from any thread, for one upload by one thread at a time.
    """

    def create(self, upload_id: str) -> None:
        """Durably. Raises DiskFull."""
        ...

    def append(self, upload_id: str, *, offset_bytes: int, pieces: Iterable[bytes]) -> int:
        """Write from this byte on, and flush; what lay behind it is gone. Returns bytes written.

        Raises DiskFull, NotFound (also when bytes before the offset are gone), and what `pieces`
        raises: the file ends at the offset then.
        """
        ...

    def sha256(self, upload_id: str, *, size_bytes: int) -> str:
        """Of the whole file. Raises NotFound, also when it has another size."""
        ...

    def adopt(self, upload_id: str, sha256: str) -> StoredBlob:
        """Make it the blob of this hash, durably; harmless a second time.

        Raises NotFound when there is neither. It takes no further room on the disk.
        """
        ...

    def delete(self, upload_id: str) -> None:
        """Harmless when it is gone already."""
        ...

    def delete_unnamed(self, named: Collection[str], *, older_than_s: float) -> int:
        """Remove uploads whose id is not in `named` and that nobody has written to for so long.

        Returns their number.
        """
        ...
