"""The recordings that FILE, FOLDER and GLOB arguments mean."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_transcriber.errors import InvalidRequest

# In a folder, what has one of these endings is taken; a file that is named is always taken.
EXTENSIONS = frozenset(
    {
        *("aac", "aif", "aiff", "amr", "caf", "flac", "m4a", "m4b", "mp3", "mpga", "oga", "ogg"),
        *("opus", "w64", "wav", "weba", "wma"),
        *("3gp", "avi", "m4v", "mka", "mkv", "mov", "mp4", "ogv", "ts", "webm"),
        *("wmv",),
    }
)


@dataclass(frozen=True)
class Recording:
    """A file, and its path below the folder that was asked for (its name, when it was itself)."""

    path: Path
    relative: Path


def find_recordings(arguments: Sequence[str]) -> list[Recording]:
    """Each file once, in the order of the arguments; those of a folder by name.

    Raises InvalidRequest when an argument means no file.
    """
    found: dict[Path, Recording] = {}
    for argument in arguments:
        recordings = list(_meant_by(argument))
        if not recordings:
            raise _nothing(argument)
        for recording in recordings:
            found.setdefault(recording.path.resolve(), recording)
    return list(found.values())


def _meant_by(argument: str) -> Iterator[Recording]:
    path = Path(argument)
    if path.exists():
        yield from _at(path)
        return
    # A shell that does not expand patterns, or quotation marks around one.
    for match in sorted(glob.glob(argument, recursive=True)):
        yield from _at(Path(match))


def _at(path: Path) -> Iterator[Recording]:
    if not path.is_dir():
        yield Recording(path, Path(path.name))
        return
    for inner in sorted(path.rglob("*")):
        relative = inner.relative_to(path)
        hidden = any(part.startswith(".") for part in relative.parts)
        if not hidden and inner.suffix[1:].lower() in EXTENSIONS and inner.is_file():
            yield Recording(inner, relative)


def _nothing(argument: str) -> InvalidRequest:
    path = Path(argument)
    if path.is_dir():
        return InvalidRequest(
            f"The folder {argument} has no recordings.",
            remedy="Name the files themselves if their names have unusual endings.",
        )
    if glob.has_magic(argument):
        return InvalidRequest(f"No file matches {argument}.", remedy="Correct the pattern.")
    return InvalidRequest(f"There is no file {argument}.", remedy="Correct the path.")
