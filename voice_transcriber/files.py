"""Files: written so that they survive a power cut, and told apart by what they hold."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

_BLOCK_BYTES = 4 * 1024 * 1024


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file as a whole: readers see the old content or the new, also after a power cut."""
    part = path.with_name(path.name + ".part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    rename_durably(part, path)


def rename_durably(source: Path, target: Path) -> None:
    """Give a flushed file its name, and flush the folder that holds the name."""
    os.replace(source, target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries; Windows has no such thing and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_stamp(path: Path) -> str:
    """Changes when the file is replaced or written. Raises OSError."""
    state = path.stat()
    return f"{state.st_size}-{state.st_mtime_ns}-{state.st_ctime_ns}-{state.st_ino}"


def no_check() -> None:
    """What is called between two blocks of a large file, where nothing can stop the reading."""


def file_sha256(
    path: Path,
    *,
    start: int = 0,
    end: int | None = None,
    check: Callable[[], None] = no_check,
) -> str:
    """Of the bytes start..end. Raises OSError, and what `check` raises between two blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(start)
        left = None if end is None else end - start
        while block := file.read(_BLOCK_BYTES if left is None else min(left, _BLOCK_BYTES)):
            digest.update(block)
            left = None if left is None else left - len(block)
            check()
    return digest.hexdigest()
