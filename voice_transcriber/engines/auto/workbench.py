"""Opens parts of one checkpoint, and combinations of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voice_transcriber.engines.auto.records import DecoderPart
from voice_transcriber.engines.base import Decoder, DecoderEngine
from voice_transcriber.engines.encoders.base import Encoder, EncoderBackend
from voice_transcriber.engines.encoders.combined import CombinedModel
from voice_transcriber.engines.encoders.installed import OWN


@dataclass(frozen=True, kw_only=True)
class Makers:
    """Where parts come from, by name."""

    engine: Callable[[str], DecoderEngine]
    encoder: Callable[[str], EncoderBackend]


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """Methods raise as Engine.load and EncoderBackend.load do."""

    makers: Makers
    checkpoint: Path
    size: str  # the model's name
    device: str

    def decoder(self, part: DecoderPart) -> Decoder:
        engine = self.makers.engine(part.engine)
        return engine.load(
            self.checkpoint, size=self.size, device=self.device, compute_type=part.compute_type
        )

    def encoder(self, backend: str) -> Encoder:
        return self.makers.encoder(backend).load(self.checkpoint, size=self.size)

    def combined(self, part: DecoderPart, encoder: str) -> CombinedModel:
        return CombinedModel(
            self.decoder(part),
            None if encoder == OWN else self.encoder(encoder),
            engine=part.engine,
            compute_type=part.compute_type,
            encoder_name=encoder,
        )
