"""A model of which a test writes only the parts that it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voice_transcriber.engines.base import (
    DecodeOptions,
    Features,
    Hypothesis,
    Samples,
    Tokens,
    WordTiming,
)


class PartialModel:
    """Holds to the contract of engines.base.Model; what is not written fails when it is called."""

    device = "cpu"
    is_multilingual = False

    def tokens(self, *, language: str | None, task: str) -> Tokens:
        raise NotImplementedError

    def encode(self, windows: Sequence[Samples]) -> list[Features]:
        raise NotImplementedError

    def detect_language(self, features: Sequence[Features]) -> list[Mapping[str, float]]:
        raise NotImplementedError

    def decode(self, features: Sequence[Features], options: DecodeOptions) -> list[Hypothesis]:
        raise NotImplementedError

    def align(
        self,
        features: Features,
        tokens: Sequence[int],
        *,
        language: str | None,
        task: str,
        length_s: float,
    ) -> list[WordTiming]:
        raise NotImplementedError
