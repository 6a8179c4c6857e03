"""Files: written so that they survive a power cut, and told apart by what they hold."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from voice_transcriber.errors import DiskFull, StorageRefuses

FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT})  # the disk, or the user's part of it
REFUSED_ERRNOS = frozenset(
    {errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE}
)

_BLOCK_BYTES = 4 * 1024 * 1024


def free_bytes(folder: Path) -> int:
    """Of the disk that holds it."""
    return shutil.disk_usage(folder).free


@contextmanager
def full_disk_told() -> Iterator[None]:
    """Turn a full disk, or a full quota, into DiskFull, one that refuses into StorageRefuses."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL_ERRNOS:
            raise DiskFull from error
        if error.errno in REFUSED_ERRNOS:
            raise StorageRefuses from error
        raise


def write_durably(path: Path, data: bytes, *, part: Path | None = None) -> None:
    """Replace a file as a whole: readers see the old content or the new, also after a power cut.

    Several may write at once: the last one's content stays. `part` is where it is written first,
    by one writer at a time; name it where nobody removes the *.part files that a crash leaves.
    Raises OSError; nothing half-written is left then.
    """
    part = part or path.with_name(f"{secrets.token_hex(8)}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        rename_durably(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


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


def take_rights_of_others(path: Path) -> bool:
    """Leave a file or folder to its owner alone; whether anybody else had rights on it.

    Windows has no such rights; files of other owners are left as they are. Raises OSError.
    """
    if os.name == "nt":
        return False
    state = path.stat()
    if state.st_mode & 0o077 == 0 or state.st_uid != os.geteuid():
        return False
    path.chmod(stat.S_IMODE(state.st_mode) & 0o700)
    return True


def keep_end(path: Path, *, above_bytes: int, kept_bytes: int) -> None:
    """Leave only the end of a file that is larger; harmless when there is none.

    A writer that appends (O_APPEND) goes on behind it; what it writes during the cut may be lost or
    stand before the kept end. Windows, where a child's handle does not append, is left alone.
    Raises OSError.
    """
    if os.name == "nt" or not path.exists() or path.stat().st_size <= above_bytes:
        return
    with path.open("rb") as whole:
        whole.seek(-kept_bytes, os.SEEK_END)
        end = whole.read(kept_bytes)
    os.truncate(path, 0)
    with path.open("ab") as cut:
        cut.write(end)


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
