"""Models converted from a checkpoint, each in a folder: made once, kept, made anew when needed.

`base.ct2-1a2b3c4d5e6f` holds what base.pt, whose SHA-256 begins so, was converted to for
CTranslate2. A note in the folder says by which version, and how the checkpoint looked then: only a
file that changed since is read again for its hash.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

from voice_transcriber.engines.download import SPARE_BYTES
from voice_transcriber.errors import DiskFull, ModelDamaged, ModelUnavailable
from voice_transcriber.files import (
    FULL_ERRNOS,
    file_sha256,
    free_bytes,
    rename_durably,
    sync_folder,
    write_durably,
)

log = logging.getLogger(__name__)

T = TypeVar("T")

CT2 = "ct2"
OPENVINO = "ov"
FORMS = (CT2, OPENVINO)

_NOTE = "conversion.json"
_VOCABULARY_BYTES = 2 * 10**6

Convert = Callable[[Path], None]  # writes the model into the empty folder that it is given


@dataclass(frozen=True, kw_only=True)
class _Note:
    """What a folder was made of, and what it must hold."""

    converter: str
    sha256: str
    checkpoint_bytes: int
    checkpoint_mtime_ns: int
    file_bytes: dict[str, int]


def conversions_of(checkpoint: Path, folder: Path, forms: Sequence[str] = FORMS) -> Iterator[Path]:
    """All that was ever made of a checkpoint in a folder, half-made folders too."""
    for form in forms:
        yield from folder.glob(f"{checkpoint.stem}.{form}-*/")


def remove_conversions(
    checkpoint: Path, folder: Path, forms: Sequence[str] = FORMS, *, but: Path | None = None
) -> None:
    for conversion in list(conversions_of(checkpoint, folder, forms)):
        if conversion != but:
            shutil.rmtree(conversion, ignore_errors=True)


class Conversions:
    """The models in a folder that were converted to one form; several processes may use it."""

    def __init__(
        self,
        folder: Path,
        *,
        form: str = CT2,
        converter: str,
        free_bytes: Callable[[Path], int] = free_bytes,
    ) -> None:
        """`form` is one of FORMS; `converter` names the version: what another one made is made
        anew.
        """
        self._folder = folder
        self._form = form
        self._converter = converter
        self._free_bytes = free_bytes

    def ensure(self, checkpoint: Path, convert: Convert, *, anew: bool = False) -> Path:
        """The folder of the converted checkpoint, made first where it is missing or not current.

        `anew`: what there is cannot be used. One process converts while others wait.
        Raises DiskFull, ModelUnavailable, and what `convert` raises.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self._folder / f"{checkpoint.stem}.{self._form}.lock"):
                if anew:
                    remove_conversions(checkpoint, self._folder, [self._form])
                return self._ensured(checkpoint, convert)
        except OSError as error:
            raise self._named(error, checkpoint) from error

    def opened(
        self,
        checkpoint: Path,
        convert: Convert,
        open_form: Callable[[Path], T],
        *,
        is_damage: Callable[[RuntimeError], bool],
    ) -> T:
        """What `open_form` makes of the converted checkpoint, which is made anew, once, where that
        fails by damage. Raises as `ensure` does, and ModelDamaged where it fails again.
        """
        try:
            return open_form(self.ensure(checkpoint, convert))
        except RuntimeError as error:
            if not is_damage(error):
                raise
        try:
            return open_form(self.ensure(checkpoint, convert, anew=True))
        except RuntimeError as error:
            if not is_damage(error):
                raise
            raise ModelDamaged(f"The model file {checkpoint.name} cannot be converted.") from error

    def _ensured(self, checkpoint: Path, convert: Convert) -> Path:
        state = checkpoint.stat()
        sha256 = self._known_hash(checkpoint, state) or file_sha256(checkpoint)
        target = self._folder / f"{checkpoint.stem}.{self._form}-{sha256[:12]}"
        note = _read_note(target)
        if note is not None and note.converter == self._converter and _is_whole(target, note):
            return target
        self._check_space(checkpoint, state.st_size)
        part = target.with_name(f"{target.name}.part")
        log.info("Converting %s.", checkpoint.name)
        try:
            _write(part, convert, self._note(sha256, state))
            remove_conversions(checkpoint, self._folder, [self._form], but=part)
            rename_durably(part, target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return target

    def _known_hash(self, checkpoint: Path, state: os.stat_result) -> str | None:
        for folder in conversions_of(checkpoint, self._folder):
            note = _read_note(folder)
            if note is None:
                continue
            then = (note.checkpoint_bytes, note.checkpoint_mtime_ns)
            if then == (state.st_size, state.st_mtime_ns):
                return note.sha256
        return None

    def _note(self, sha256: str, state: os.stat_result) -> _Note:
        return _Note(
            converter=self._converter,
            sha256=sha256,
            checkpoint_bytes=state.st_size,
            checkpoint_mtime_ns=state.st_mtime_ns,
            file_bytes={},
        )

    def _check_space(self, checkpoint: Path, checkpoint_bytes: int) -> None:
        needed = checkpoint_bytes + _VOCABULARY_BYTES
        free = self._free_bytes(self._folder)
        if free < needed + SPARE_BYTES:
            raise _disk_full(checkpoint, f"{needed / 1e6:.0f} MB are needed, {free / 1e6:.0f} free")

    def _named(self, error: OSError, checkpoint: Path) -> DiskFull | ModelUnavailable:
        if error.errno in FULL_ERRNOS:
            return _disk_full(checkpoint, "the disk is full")
        return ModelUnavailable(
            f"The converted form of {checkpoint.name} could not be written to the model folder: "
            f"{error.strerror}.",
            remedy="Correct the rights of WHISPER_MODEL_DIR, or set it to another folder.",
        )


def _write(part: Path, convert: Convert, note: _Note) -> None:
    """A whole conversion, flushed to the disk."""
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    convert(part)
    file_bytes = {}
    for path in part.iterdir():
        file_bytes[path.name] = path.stat().st_size
        with path.open("r+b") as file:
            os.fsync(file.fileno())
    written = {**asdict(note), "file_bytes": file_bytes}
    write_durably(part / _NOTE, json.dumps(written, indent=1).encode())
    sync_folder(part)


def _is_whole(folder: Path, note: _Note) -> bool:
    paths = {folder / name: size for name, size in note.file_bytes.items()}
    return all(path.is_file() and path.stat().st_size == size for path, size in paths.items())


def _read_note(folder: Path) -> _Note | None:
    try:
        return _Note(**json.loads((folder / _NOTE).read_bytes()))
    except (OSError, ValueError, TypeError):  # none, or none of ours
        return None


def _disk_full(checkpoint: Path, reason: str) -> DiskFull:
    return DiskFull(
        f"There is no room for the converted form of {checkpoint.name} in the model folder: "
        f"{reason}.",
        remedy="Free disk space, or set WHISPER_MODEL_DIR to a larger disk.",
    )
