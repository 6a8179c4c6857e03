"""The folder of finished files: names that nobody else has, and files written as a whole."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_transcriber.errors import ConfigurationError, UnknownFormat
from voice_transcriber.files import write_durably
from voice_transcriber.transcript.exporters import format_named, render
from voice_transcriber.transcript.exporters.names import numbered, safe_stem
from voice_transcriber.transcript.model import Transcript


@dataclass(frozen=True)
class Reservation:
    """Names for the files of one job, one for each format."""

    paths: Sequence[Path]
    made: Sequence[Path]  # empty files that hold the names which nobody had

    @property
    def names(self) -> list[str]:
        return [path.name for path in self.paths]

    def release(self) -> None:
        """Give the names back."""
        for path in self.made:
            path.unlink(missing_ok=True)


class OutputFolder:
    """TRANSCRIPTIONS_DIR. May be shared with other programs and other instances of this one."""

    def __init__(self, folder: Path, formats: Sequence[str]) -> None:
        """Raises ConfigurationError when a format is unknown or the folder cannot be written."""
        _check_formats(formats)
        _make(folder)
        self._folder = folder
        self._formats = tuple(dict.fromkeys(formats))

    def reserve(self, filename: str, *, owned: Collection[str]) -> Reservation:
        """Names after the recording's; of the files that exist only those `owned` are taken.

        Raises OSError.
        """
        for stem in numbered(safe_stem(filename)):
            endings = (format_named(name).extension for name in self._formats)
            paths = [self._folder / f"{stem}.{ending}" for ending in endings]
            made: list[Path] = []
            try:
                for path in paths:
                    if path.name not in owned or not path.exists():
                        _create(path)
                        made.append(path)
            except FileExistsError:
                Reservation(paths, made).release()
            except OSError:
                Reservation(paths, made).release()
                raise
            else:
                break
        return Reservation(paths, made)

    def write(self, reservation: Reservation, transcript: Transcript, *, title: str) -> None:
        """Raises OSError."""
        for name, path in zip(self._formats, reservation.paths, strict=True):
            part = path.with_name(f"{path.name}.part")
            write_durably(path, render(transcript, name, title=title).body, part=part)


def _create(path: Path) -> None:
    """Raises FileExistsError when there is one, whoever made it and however lately."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _check_formats(formats: Sequence[str]) -> None:
    try:
        for name in formats:
            format_named(name)
    except UnknownFormat as error:
        raise ConfigurationError(
            f"OUTPUT_FORMATS: {error.message}", remedy=f"OUTPUT_FORMATS: {error.remedy}"
        ) from error


def _make(folder: Path) -> None:
    remedy = "TRANSCRIPTIONS_DIR: name a folder that this user may write, or leave it empty."
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The folder {folder} cannot be used: {error.strerror}.", remedy=remedy
        ) from error
    if not os.access(folder, os.W_OK):
        raise ConfigurationError(f"The folder {folder} cannot be written.", remedy=remedy)
