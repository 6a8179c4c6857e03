"""Parts of a machine whose speeds a test invents; a clock that only they move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tests.unit.engines.partial_model import PartialModel
from voice_transcriber.engines.auto.records import DecoderPart
from voice_transcriber.engines.base import (
    DecodeOptions,
    Encoded,
    Features,
    Hypothesis,
    Samples,
)
from voice_transcriber.engines.encoders.base import LogMel
from voice_transcriber.engines.encoders.installed import OWN
from voice_transcriber.errors import TranscriberError

FLOAT32 = DecoderPart(engine="faster-whisper", compute_type="float32")
INT8 = DecoderPart(engine="faster-whisper", compute_type="int8")
TORCH = DecoderPart(engine="openai-whisper", compute_type="bfloat16")

TEXT = "one two three four five six seven eight nine ten"


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Seconds for a window, and what is written for it."""

    encode_s: float = 1.0
    decode_s: float = 1.0
    text: str = TEXT
    fault: TranscriberError | None = None


@dataclass
class Machine:
    """Opens parts with the speeds given, and remembers what it was asked to do."""

    decoders: Mapping[DecoderPart, Speed]
    encoders: Mapping[str, Speed] = field(default_factory=dict)
    text_with: Mapping[str, str] = field(default_factory=dict)  # of a decoder that hears this one
    now_s: float = 0.0
    log: list[str] = field(default_factory=list)
    waiting: float = 0.0  # for a core, in shares of the time that is worked

    def clock(self) -> float:
        return self.now_s

    def thread_times(self) -> tuple[float, float]:
        return self.now_s, self.waiting * self.now_s

    def work(self, what: str, seconds: float) -> None:
        self.log.append(what)
        self.now_s += seconds

    def decoder(self, part: DecoderPart) -> FakeDecoder:
        return FakeDecoder(self, part, OWN)

    def encoder(self, backend: str) -> FakeEncoder:
        return FakeEncoder(self, backend)

    def combined(self, part: DecoderPart, encoder: str) -> FakeDecoder:
        return FakeDecoder(self, part, encoder)


class FakeDecoder(PartialModel):
    def __init__(self, machine: Machine, part: DecoderPart, encoder: str) -> None:
        self._machine, self._part, self._encoder = machine, part, encoder
        self._speed = machine.decoders[part]
        self._text = machine.text_with.get(encoder, self._speed.text)
        if self._speed.fault:
            raise self._speed.fault

    def features_of(self, encoded: Encoded, *, samples: int = 0) -> Features:
        return encoded

    def encoded_of(self, features: Features) -> Encoded:
        return features

    def encode(self, windows: Sequence[Samples]) -> list[Features]:
        encoder = self._machine.encoders.get(self._encoder, self._speed)
        self._machine.work(f"encode {self._part}", len(windows) * encoder.encode_s)
        return [np.zeros((1, 1), np.float32) for _ in windows]

    def decode(self, features: Sequence[Features], options: DecodeOptions) -> list[Hypothesis]:
        self._machine.work(f"decode {self._part}", len(features) * self._speed.decode_s)
        return [
            Hypothesis(
                tokens=(),
                text=self._text,
                avg_logprob=0.0,
                no_speech_prob=0.0,
                compression_ratio=1.0,
                temperature=options.temperature,
            )
            for _ in features
        ]


class FakeEncoder:
    bands = 80

    def __init__(self, machine: Machine, backend: str) -> None:
        self._machine, self._backend = machine, backend
        self._speed = machine.encoders[backend]
        if self._speed.fault:
            raise self._speed.fault

    def encode(self, mels: Sequence[LogMel]) -> list[Encoded]:
        self._machine.work(f"encode {self._backend}", len(mels) * self._speed.encode_s)
        return [np.zeros((1, 1), np.float32) for _ in mels]
