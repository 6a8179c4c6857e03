"""One engine of a test under every name, on places like those of the real ones."""

from __future__ import annotations

from dataclasses import dataclass

from tests.unit.engines.hosts import OPTIONS
from voice_transcriber.engines.base import Engine
from voice_transcriber.engines.compute import place_on
from voice_transcriber.engines.protocol import ON_CPU, ON_GPU, Place


@dataclass
class EnginesOf:
    own: Engine

    def engine(self, name: str | None) -> Engine:
        return self.own

    def place_on(self, device: str, name: str | None) -> Place:
        if name is None:
            return ON_GPU if device == ON_GPU.device else ON_CPU
        return place_on(device, OPTIONS.with_engine(name))
