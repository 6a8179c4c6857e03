"""What was measured, and what was chosen by it; kept as JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voice_transcriber.engines.encoders.installed import OWN


@dataclass(frozen=True, kw_only=True)
class DecoderPart:
    """A candidate: an engine, and what it computes with. It has an encoder of its own."""

    engine: str
    compute_type: str

    def __str__(self) -> str:
        return f"{self.engine} {self.compute_type}"


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The candidates, the more likely ones first. The first decoder's text is the reference."""

    decoders: Sequence[DecoderPart]
    encoders: Sequence[str]  # "own", and backends
    threads: Sequence[int]  # the first count is what all else is measured with


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One part as it was measured. Seconds are those for 30 s of speech."""

    decoder: DecoderPart | None = None  # None: an encoder that is no engine's own
    encoder: str = OWN
    encode_s: float | None = None
    decode_s: float | None = None
    differing_percent: float | None = None  # of words, against the reference
    note: str | None = None  # why figures are missing, or why it was not chosen

    @property
    def name(self) -> str:
        """As people read it."""
        return str(self.decoder) if self.decoder else self.encoder


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a model is computed by."""

    decoder: DecoderPart
    encoder: str  # "own", or a backend
    threads: int
    reason: str
    is_final: bool = True  # False: it could not be measured now, and is when it is next loaded

    @property
    def name(self) -> str:
        return name_of(self.decoder, self.encoder)

    def uses(self, figure: Figure) -> bool:
        """Whether what was measured is a part of it."""
        return figure.decoder == self.decoder or figure.encoder == self.encoder != OWN


def name_of(decoder: DecoderPart, encoder: str) -> str:
    """A combination as people read it."""
    return str(decoder) if encoder == OWN else f"{decoder} with the encoder {encoder}"


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What a choice holds for: when something here changes, it is measured anew."""

    machine: str  # as people read it
    machine_id: str
    versions: Mapping[str, str]  # of the packages that compute; without those that are missing
    pipeline: int
    device: str
    asked: str  # what the settings leave open


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A choice with all that led to it."""

    basis: Basis
    checkpoint_sha256: str
    checkpoint_bytes: int
    checkpoint_mtime_ns: int
    at: float  # Unix seconds
    took_s: float
    choice: Choice
    figures: Sequence[Figure]
