"""The transcript as a record of integer milliseconds; every format is rendered from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import msgspec

SCHEMA_VERSION = 1


# Ten hours with word times are 120,000 records: slots make reading them half as long.
@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """One spoken word. `text` keeps the leading space that the tokenizer gives it."""

    start_ms: int
    end_ms: int
    text: str
    probability: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One sentence or phrase with its times in the file."""

    start_ms: int
    end_ms: int
    text: str  # as the model wrote it, leading space kept
    tokens: tuple[int, ...] = ()
    temperature: float = 0.0
    avg_logprob: float = 0.0
    compression_ratio: float = 0.0
    no_speech_prob: float = 0.0
    words: tuple[Word, ...] | None = None  # None when word times were not asked for
    language: str | None = None  # its own, where the recording was taken to have several

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return msgspec.convert(data, cls)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the inverse of from_dict."""
        return _without_no_language(msgspec.to_builtins(self))


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """The recogniser's output for one file; immutable."""

    language: str | None  # None when no speech was heard
    language_probability: float | None
    duration_ms: int
    model: str
    task: str
    segments: tuple[Segment, ...]

    @property
    def text(self) -> str:
        return "".join(segment.text for segment in self.segments).strip()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return msgspec.convert(data, cls)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values with a schema number; the inverse of from_dict."""
        values = {"schema": SCHEMA_VERSION, **msgspec.to_builtins(self)}
        for segment in values["segments"]:
            _without_no_language(segment)
        return values


def _without_no_language(segment: dict[str, Any]) -> dict[str, Any]:
    if segment["language"] is None:
        del segment["language"]
    return segment
