"""The headers of tus 1.0.0, from text to values. Nothing here knows a request."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from voice_transcriber.errors import ChecksumMismatch, InvalidRequest

VERSION = "1.0.0"
EXTENSIONS = ("creation", "creation-with-upload", "termination", "checksum", "expiration")

_NUMBER = re.compile(r"[0-9]{1,15}")
_NAME = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,60}")  # visible ASCII but the comma


class Digest(Protocol):
    """What makes a checksum of pieces."""

    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


ALGORITHMS: Mapping[str, Callable[[], Digest]] = {
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "crc32": _Crc32,
}


@dataclass(frozen=True, kw_only=True)
class Checksum:
    """What the bytes of one request should come to."""

    algorithm: str  # a key of ALGORITHMS
    value: bytes

    def checked(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces; raises ChecksumMismatch after the last one when they are others."""
        digest = ALGORITHMS[self.algorithm]()
        for piece in pieces:
            digest.update(piece)
            yield piece
        if digest.digest() != self.value:
            raise ChecksumMismatch


def parse_number(name: str, text: str | None) -> int:
    """The bytes that Upload-Length or Upload-Offset tells. Raises InvalidRequest."""
    if text is None or not _NUMBER.fullmatch(text):
        raise InvalidRequest(f"The header {name} is missing or is not a number of bytes.")
    return int(text)


def parse_checksum(text: str | None) -> Checksum | None:
    """None without the header. Raises InvalidRequest."""
    if text is None:
        return None
    algorithm, _, encoded = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise InvalidRequest(
            "The header Upload-Checksum names no algorithm that this server knows.",
            remedy=f"Use one of: {', '.join(ALGORITHMS)}.",
        )
    return Checksum(algorithm=algorithm, value=_decoded("Upload-Checksum", encoded))


def parse_metadata(text: str) -> dict[str, str]:
    """Values by name; a name without a value has an empty one. Raises InvalidRequest."""
    values: dict[str, str] = {}
    for pair in text.split(",") if text.strip() else ():
        name, _, encoded = pair.strip(" ").partition(" ")
        if not _NAME.fullmatch(name) or name in values:
            raise InvalidRequest(
                "The header Upload-Metadata is wrong.",
                remedy="Separate pairs by commas, and in each a name from its base64 by a space.",
            )
        try:
            values[name] = _decoded("Upload-Metadata", encoded).decode()
        except UnicodeDecodeError:
            raise InvalidRequest(f"The value of {name} in Upload-Metadata is not UTF-8.") from None
    return values


def _decoded(header: str, encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest(f"The header {header} has a value that is not base64.") from None
