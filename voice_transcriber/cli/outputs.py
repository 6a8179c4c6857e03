"""Where transcripts go, and how they get there: as a whole, and over nothing that exists."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_transcriber.cli.inputs import Recording
from voice_transcriber.errors import InvalidRequest
from voice_transcriber.transcript.exporters import FORMATS


@dataclass(frozen=True)
class Work:
    """A recording and the file of each wanted format."""

    recording: Recording
    targets: Mapping[str, Path]

    @property
    def missing(self) -> Mapping[str, Path]:
        return {name: path for name, path in self.targets.items() if not path.exists()}


def plan_outputs(
    recordings: Sequence[Recording], *, formats: Sequence[str], folder: Path | None
) -> list[Work]:
    """`talk.mp3` becomes `talk.srt`, beside it or in `folder`.

    Where two recordings differ by their ending only, it stays: `talk.mp3.srt`.
    Raises InvalidRequest when two would still be written to one file.
    """
    stems = [_stem(recording, folder) for recording in recordings]
    shared = Counter(stems)
    works = [
        Work(recording, _targets(_whole(recording, folder) if shared[stem] > 1 else stem, formats))
        for recording, stem in zip(recordings, stems, strict=True)
    ]
    _check_apart(works)
    return works


def write_output(path: Path, data: bytes, *, replace: bool) -> None:
    """Readers see the whole file or none. Raises FileExistsError unless it may be replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists() and not replace:
            raise FileExistsError(f"{path} has come into being meanwhile")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _whole(recording: Recording, folder: Path | None) -> Path:
    return recording.path if folder is None else folder / recording.relative


def _stem(recording: Recording, folder: Path | None) -> Path:
    return _whole(recording, folder).with_suffix("")


def _targets(base: Path, formats: Sequence[str]) -> Mapping[str, Path]:
    return {name: base.with_name(f"{base.name}.{FORMATS[name].extension}") for name in formats}


def _check_apart(works: Sequence[Work]) -> None:
    taken: dict[Path, Recording] = {}
    for work in works:
        if len(set(work.targets.values())) < len(work.targets):
            raise InvalidRequest(
                f"Two of the formats {', '.join(work.targets)} have the same file ending.",
                remedy="Ask for them one after the other, each with its own --output.",
            )
        for target in work.targets.values():
            other = taken.setdefault(target, work.recording)
            if other is not work.recording:
                raise InvalidRequest(
                    f"{other.path} and {work.recording.path} would both be written to {target}.",
                    remedy="Give them one after the other, each with its own --output.",
                )
            if target.resolve() == work.recording.path.resolve():
                raise InvalidRequest(
                    f"{target} is a recording and would be written over.",
                    remedy="Give --output FOLDER.",
                )
