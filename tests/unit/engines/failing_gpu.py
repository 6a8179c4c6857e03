"""An engine for tests whose GPU takes models and then fails at their work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from voice_transcriber.engines.base import DecodeOptions, Features, Hypothesis
from voice_transcriber.engines.fake import FakeModel
from voice_transcriber.errors import EngineOutOfMemory, GpuFailed


class FailingGpu:
    """Full when it decodes, broken when it detects a language."""

    def load(self, checkpoint: Path, *, size: str, device: str, compute_type: str) -> FakeModel:
        return _OnGpu() if device == "cuda" else FakeModel()


class _OnGpu(FakeModel):
    device = "cuda"

    def detect_language(self, features: Sequence[Features]) -> list[Mapping[str, float]]:
        raise GpuFailed("The GPU failed: CUDA error: unspecified launch failure.")

    def decode(self, features: Sequence[Features], options: DecodeOptions) -> list[Hypothesis]:
        raise EngineOutOfMemory("There is not enough memory for the model demo.")
