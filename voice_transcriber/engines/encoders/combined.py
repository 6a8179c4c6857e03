"""An encoder and another engine's decoder as one model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from voice_transcriber.engines.base import (
    WINDOW_SAMPLES,
    DecodeOptions,
    Decoder,
    DecoderEngine,
    Encoded,
    Features,
    Hypothesis,
    Model,
    Pausable,
    Samples,
    Tokens,
    WordTiming,
)
from voice_transcriber.engines.encoders.base import Encoder, EncoderBackend
from voice_transcriber.engines.encoders.installed import OWN
from voice_transcriber.engines.whisper_text import log_mel


class CombinedEngine:
    """Loads the decoder of an engine and the encoder of a backend, from one checkpoint."""

    def __init__(
        self, decoders: DecoderEngine, backend: EncoderBackend, *, engine: str, encoder: str
    ) -> None:
        """`engine` and `encoder` are their names."""
        self._decoders = decoders
        self._backend = backend
        self._engine = engine
        self._encoder = encoder

    def load(self, checkpoint: Path, *, size: str, device: str, compute_type: str) -> Model:
        """As the contract says, and raises as the backend does. On a GPU the engine's own encoder
        is used: the backends compute on the CPU.
        """
        decoder = self._decoders.load(
            checkpoint, size=size, device=device, compute_type=compute_type
        )
        on_cpu = device == "cpu"
        return CombinedModel(
            decoder,
            self._backend.load(checkpoint, size=size) if on_cpu else None,
            engine=self._engine,
            compute_type=compute_type,
            encoder_name=self._encoder if on_cpu else OWN,
        )


class CombinedModel:
    """One checkpoint in memory; the decoder's own encoder is used where there is no other."""

    def __init__(
        self,
        decoder: Decoder,
        encoder: Encoder | None,
        *,
        engine: str,
        compute_type: str,
        encoder_name: str,
    ) -> None:
        self._decoder = decoder
        self._encoder = encoder
        self.engine = engine
        self.compute_type = compute_type
        self.encoder = encoder_name
        self.device = decoder.device
        self.is_multilingual = decoder.is_multilingual

    def tokens(self, *, language: str | None, task: str) -> Tokens:
        return self._decoder.tokens(language=language, task=task)

    def let_pass(self, between_steps: Callable[[], None]) -> None:
        if isinstance(self._decoder, Pausable):
            self._decoder.let_pass(between_steps)

    def features_of(self, encoded: Encoded, *, samples: int = WINDOW_SAMPLES) -> Features:
        return self._decoder.features_of(encoded, samples=samples)

    def encode(self, windows: Sequence[Samples]) -> list[Features]:
        encoder = self._encoder
        if encoder is None:
            return self._decoder.encode(windows)
        mels = [log_mel(window, bands=encoder.bands).numpy() for window in windows]
        return [
            self._decoder.features_of(encoded, samples=len(window))
            for encoded, window in zip(encoder.encode(mels), windows, strict=True)
        ]

    def detect_language(self, features: Sequence[Features]) -> list[Mapping[str, float]]:
        return self._decoder.detect_language(features)

    def decode(self, features: Sequence[Features], options: DecodeOptions) -> list[Hypothesis]:
        return self._decoder.decode(features, options)

    def align(
        self,
        features: Features,
        tokens: Sequence[int],
        *,
        language: str | None,
        task: str,
        length_s: float,
    ) -> list[WordTiming]:
        return self._decoder.align(
            features, tokens, language=language, task=task, length_s=length_s
        )
