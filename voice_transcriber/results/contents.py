"""Results as bytes with a checksum, and back."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from voice_transcriber.store.results import ResultKind, StoredResult
from voice_transcriber.store.rows import to_json, transcript_from_column, transcript_to_column
from voice_transcriber.transcript.model import Segment, Transcript

_LEVEL = 1  # of zlib: a quarter of the size for a tenth of the time of the default


class Corrupt(Exception):
    """An entry that is not what was stored."""


@dataclass(frozen=True)
class KnownTranscript:
    """A transcript, and as it is written: to write it anew takes longer than to read it."""

    transcript: Transcript
    content: str

    def lasting(self, duration_ms: int) -> KnownTranscript:
        """The same of a file of another length, of which the same part was transcribed."""
        if duration_ms == self.transcript.duration_ms:
            return self
        told = replace(self.transcript, duration_ms=duration_ms)
        return KnownTranscript(told, transcript_to_column(told))


@dataclass(frozen=True, kw_only=True)
class KnownWindow:
    """A finished window. Samples and milliseconds count from the start of its chunk."""

    start: int
    end: int
    speech_end: int
    language: str | None
    segments: tuple[Segment, ...]


@dataclass(frozen=True, kw_only=True)
class KnownChunk:
    """A finished chunk, with the windows that followed from others."""

    language: str | None
    language_probability: float | None
    windows: Sequence[KnownWindow]


_CHUNK = msgspec.json.Decoder(KnownChunk)


def packed_transcript(key: str, transcript: Transcript) -> StoredResult:
    return _packed(key, ResultKind.FILE, transcript_to_column(transcript))


def packed_chunk(key: str, chunk: KnownChunk) -> StoredResult:
    return _packed(key, ResultKind.CHUNK, to_json(msgspec.to_builtins(chunk)))


def transcript_of(result: StoredResult) -> KnownTranscript:
    """Raises Corrupt."""
    text = _unpacked(result)
    try:
        return KnownTranscript(transcript_from_column(text), text)
    except (ValueError, msgspec.ValidationError) as error:
        raise Corrupt(str(error)) from error


def chunk_of(result: StoredResult) -> KnownChunk:
    """Raises Corrupt."""
    text = _unpacked(result)
    try:
        return _CHUNK.decode(text)
    except msgspec.MsgspecError as error:
        raise Corrupt(str(error)) from error


def checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _packed(key: str, kind: ResultKind, text: str) -> StoredResult:
    content = zlib.compress(text.encode(), _LEVEL)
    return StoredResult(key=key, kind=kind, content=content, checksum=checksum(content))


def _unpacked(result: StoredResult) -> str:
    if checksum(result.content) != result.checksum:
        raise Corrupt("its checksum is another one")
    try:
        return zlib.decompress(result.content).decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise Corrupt(str(error)) from error
