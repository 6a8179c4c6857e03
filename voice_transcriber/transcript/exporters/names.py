"""File names that every system takes, made from the user's name for a recording."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import PurePosixPath

FALLBACK = "transcript"
MAX_BYTES = 150  # with a number and an ending below the 255 of most file systems

_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # Windows


def safe_stem(filename: str) -> str:
    """The name without folders and ending: never empty, hidden, a device, or out of its folder."""
    stem = PurePosixPath(filename.replace("\\", "/")).stem
    visible = "".join(sign for sign in stem if unicodedata.category(sign)[0] != "C")
    plain = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", visible)).strip(" .")
    short = plain.encode("utf-8")[:MAX_BYTES].decode("utf-8", "ignore").strip(" .")
    return f"_{short}" if _DEVICES.fullmatch(short) else short or FALLBACK


def numbered(stem: str) -> Iterator[str]:
    """`talk`, `talk (2)`, `talk (3)`, and so on without end."""
    yield stem
    for number in count(2):
        yield f"{stem} ({number})"


class UsedNames:
    """Names within one archive; upper and lower case count as the same."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def take(self, stem: str, extensions: Iterable[str]) -> list[str]:
        """A free name for each extension, all with the same stem."""
        endings = list(extensions)
        for candidate in numbered(stem):
            names = [f"{candidate}.{ending}" for ending in endings]
            folded = {name.casefold() for name in names}
            if not folded & self._used:
                break
        self._used |= folded
        return names
