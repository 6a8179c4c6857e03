"""The fake engine, which encodes when the test lets it and remembers its batches."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voice_transcriber.engines.base import DecodeOptions, Hypothesis, Samples
from voice_transcriber.engines.fake import FakeModel

PATIENCE_S = 30.0


class HeldModel(FakeModel):
    def __init__(self) -> None:
        super().__init__()
        self.encoding, self.may_go_on = threading.Event(), threading.Event()
        self.batches: list[int] = []

    def encode(self, windows: Sequence[Samples]) -> list[Any]:
        self.encoding.set()
        assert self.may_go_on.wait(PATIENCE_S)
        return list(super().encode(windows))

    def decode(self, features: Sequence[Any], options: DecodeOptions) -> list[Hypothesis]:
        self.batches.append(len(features))
        return super().decode(features, options)


class HeldEngine:
    """Every engine of this class has the one model that the test put here."""

    model = HeldModel()

    def load(self, checkpoint: Path, *, size: str, device: str, compute_type: str) -> HeldModel:
        return self.model
