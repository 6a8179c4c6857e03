"""SHA-256 of large files that rarely change: computed once for each state of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from voice_transcriber.files import file_sha256, file_stamp, no_check
from voice_transcriber.store.results import ResultStore


class FileHashes:
    """A file whose size, times and number are as before is not read again."""

    def __init__(self, store: ResultStore) -> None:
        self._store = store
        self._known: dict[str, tuple[str, str]] = {}  # by path: how it looked, its hash

    def known(self, path: Path) -> str | None:
        """The hash without reading the file; None when it has to be read, or is not there."""
        try:
            return self._find(str(path), file_stamp(path))
        except OSError:
            return None

    def of(self, path: Path, *, check: Callable[[], None] = no_check) -> str:
        """Raises OSError, and what `check`, called several times a second, raises."""
        name, stamp = str(path), file_stamp(path)
        if found := self._find(name, stamp):
            return found
        sha256 = file_sha256(path, check=check)
        if file_stamp(path) == stamp:
            self._known[name] = (stamp, sha256)
            self._store.note_fact(f"sha256 {name}", f"{stamp} {sha256}")
        return sha256

    def _find(self, name: str, stamp: str) -> str | None:
        if name not in self._known and (noted := self._store.fact(f"sha256 {name}")):
            then, _, sha256 = noted.partition(" ")
            self._known[name] = (then, sha256)
        then, sha256 = self._known.get(name, ("", ""))
        return sha256 if then == stamp else None
