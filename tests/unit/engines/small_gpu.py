"""An engine for tests whose GPU decodes so many windows together, and fails for memory beyond."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from voice_transcriber.engines.base import DecodeOptions, Features, Hypothesis
from voice_transcriber.engines.fake import FakeModel
from voice_transcriber.errors import EngineOutOfMemory


class SmallGpu:
    """A test sets `room`, and reads in `decoded` how many windows were decoded where."""

    room = 3
    decoded: ClassVar[list[tuple[str, int]]] = []

    def load(self, checkpoint: Path, *, size: str, device: str, compute_type: str) -> FakeModel:
        return _Counting(device)


class _Counting(FakeModel):
    def __init__(self, device: str) -> None:
        self.device = device

    def decode(self, features: Sequence[Features], options: DecodeOptions) -> list[Hypothesis]:
        if self.device == "cuda" and len(features) > SmallGpu.room:
            raise EngineOutOfMemory("There is not enough memory for the model demo.")
        SmallGpu.decoded.append((self.device, len(features)))
        return super().decode(features, options)
