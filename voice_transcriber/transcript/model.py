"""The transcript as a record of integer milliseconds; every format is rendered from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Word:
    """One spoken word. `text` keeps the leading space that the tokenizer gives it."""

    start_ms: int
    end_ms: int
    text: str
    probability: float

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(**data)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the inverse of from_dict."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True)
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

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        words = data.get("words")
        return cls(
            **{
                **data,
                "tokens": tuple(data.get("tokens", ())),
                "words": None if words is None else tuple(Word.from_dict(word) for word in words),
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the inverse of from_dict."""
        words = None if self.words is None else [word.to_dict() for word in self.words]
        return {**vars(self), "words": words}


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
        fields = {key: value for key, value in data.items() if key != "schema"}
        segments = tuple(Segment.from_dict(segment) for segment in fields.pop("segments"))
        return cls(**fields, segments=segments)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values with a schema number; the inverse of from_dict."""
        segments = [segment.to_dict() for segment in self.segments]
        return {"schema": SCHEMA_VERSION, **vars(self), "segments": segments}
