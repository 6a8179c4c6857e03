"""File systems of their own for tests: ext4 in a file, and tmpfs. Both need root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.running import until

MEGABYTE = 1_000_000
RELEASE_S = 20.0


def why_not() -> str | None:
    """Why no file system can be mounted here; None when one can."""
    if not sys.platform.startswith("linux"):
        return "mounts are made on Linux only"
    if os.geteuid() != 0:
        return "mounting needs root"
    missing = [name for name in ("mount", "umount", "mkfs.ext4") if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} is not installed"
    return None if _loop_works() else "this machine lets nobody mount"


def _loop_works() -> bool:
    return Path("/dev/loop-control").exists() and os.access("/dev/loop-control", os.R_OK)


class Disk:
    """An ext4 file system in a file, whose journal is written only when somebody flushes."""

    def __init__(self, folder: Path, *, size_bytes: int = 512 * MEGABYTE) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._image = folder / "disk.img"
        self.root = folder / "disk"
        self.root.mkdir()
        with self._image.open("wb") as file:
            file.truncate(size_bytes)
        _command("mkfs.ext4", "-q", "-m", "0", str(self._image))

    def mount(self) -> None:
        options = "loop,commit=1000,noatime"
        _command("mount", "-o", options, str(self._image), str(self.root))

    def unmount(self) -> None:
        """What was killed may hold it for a moment."""
        until(self._is_unmounted, patience_s=RELEASE_S)

    def _is_unmounted(self) -> bool:
        if os.path.ismount(self.root):
            subprocess.run(["umount", str(self.root)], check=False, capture_output=True)
        return not os.path.ismount(self.root)

    def photograph(self) -> Path:
        """What has reached the disk by now, without what is still in memory."""
        picture = self._image.with_suffix(".cut")
        _command("cp", "--sparse=always", str(self._image), str(picture))
        return picture

    def becomes(self, picture: Path) -> None:
        """After the cut: what was in memory is gone."""
        self.unmount()
        picture.replace(self._image)
        self.mount()


@contextmanager
def small_disk(root: Path, *, size_bytes: int, options: str = "") -> Iterator[Path]:
    """A tmpfs, for as long as the block lasts."""
    root.mkdir(parents=True, exist_ok=True)
    extra = f",{options}" if options else ""
    _command("mount", "-t", "tmpfs", "-o", f"size={size_bytes}{extra}", "tmpfs", str(root))
    try:
        yield root
    finally:
        _command("umount", "--lazy", str(root))


def _command(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, text=True)
