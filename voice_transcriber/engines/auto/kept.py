"""Choices in the model folder: one file for each model, kind of machine, and device."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec

from voice_transcriber.engines.auto.records import Basis, Measured
from voice_transcriber.files import file_sha256, write_durably

log = logging.getLogger(__name__)


def kept_choice(folder: Path, checkpoint: Path, basis: Basis) -> Measured | None:
    """What was chosen for this checkpoint on this basis. Raises OSError for the checkpoint."""
    measured = _read(_path(folder, checkpoint, basis))
    if measured is None or measured.basis != basis or not measured.choice.is_final:
        return None
    if not _is_unchanged(checkpoint, measured):
        return None if file_sha256(checkpoint) != measured.checkpoint_sha256 else measured
    return measured


def shown_choice(folder: Path, checkpoint: Path, basis: Basis) -> Measured | None:
    """The same for a glance: a checkpoint that was touched is not read for its hash."""
    measured = _read(_path(folder, checkpoint, basis))
    if measured is None or measured.basis != basis:
        return None
    try:
        return measured if _is_unchanged(checkpoint, measured) else None
    except OSError:
        return None


def keep_choice(folder: Path, checkpoint: Path, measured: Measured) -> None:
    """A folder that cannot be written to costs a measurement at the next start, nothing else."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_durably(
            _path(folder, checkpoint, measured.basis),
            msgspec.json.format(msgspec.json.encode(measured), indent=1),
        )
    except OSError as error:
        log.warning("The choice for %s cannot be kept: %s.", checkpoint.stem, error.strerror)


def remove_choices(checkpoint: Path, folder: Path) -> None:
    for path in choices_of(checkpoint, folder):
        path.unlink(missing_ok=True)


def choices_of(checkpoint: Path, folder: Path) -> Iterator[Path]:
    return folder.glob(f"{checkpoint.stem}.choice-*.json")


def _path(folder: Path, checkpoint: Path, basis: Basis) -> Path:
    return folder / f"{checkpoint.stem}.choice-{basis.device}-{basis.machine_id}.json"


def _is_unchanged(checkpoint: Path, measured: Measured) -> bool:
    state = checkpoint.stat()
    then = (measured.checkpoint_bytes, measured.checkpoint_mtime_ns)
    return then == (state.st_size, state.st_mtime_ns)


def _read(path: Path) -> Measured | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Measured)
    except (OSError, msgspec.MsgspecError):  # none, or none of ours
        return None
