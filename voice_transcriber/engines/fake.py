"""An engine that invents its text from a digest of the samples: for tests of everything around it.

The same samples give the same words on every run and machine. It takes
1/SPEED of the audio's length. The loudest sample of a window can make it fail as a
real engine would: at POISON_LEVEL it ends the process, at HANG_LEVEL it never returns,
at HOARD_LEVEL it keeps memory for ever.
"""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from voice_transcriber.audio.vad import FRAME_SAMPLES
from voice_transcriber.engines.base import DecodeOptions, Hypothesis, Samples, WordTiming
from voice_transcriber.errors import ModelDamaged
from voice_transcriber.job import SAMPLE_RATE

SPEED = 100
POISON_LEVEL = 0.999
HANG_LEVEL = 0.95
HOARD_LEVEL = 0.9
HOARD_BYTES = 300_000_000
SPEECH_RMS = 0.003
SENTENCE_S = 3.0
WORDS = (
    "amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "inlet",
    "jetty", "knoll", "larch", "marsh", "north", "ocean", "prairie", "quarry", "ridge",
    "stone", "tundra", "upland", "valley", "willow", "xenon", "yarrow", "zephyr",
)  # fmt: skip

_TIMESTAMP_BEGIN = 50364
_EOT = 50257


@dataclass(frozen=True)
class _FakeFeatures:
    digest: bytes
    length_s: float
    peak: float


class _FakeTokens:
    timestamp_begin = _TIMESTAMP_BEGIN
    eot = _EOT

    def decode(self, tokens: Sequence[int]) -> str:
        words = [WORDS[token] for token in tokens if token < _EOT]
        return f" {' '.join(words)}." if words else ""


class FakeModel:
    device = "cpu"
    is_multilingual = True

    def __init__(self) -> None:
        self._between_steps: Callable[[], None] = lambda: None
        self._hoard: list[bytes] = []

    def let_pass(self, between_steps: Callable[[], None]) -> None:
        self._between_steps = between_steps

    def tokens(self, *, language: str | None, task: str) -> _FakeTokens:
        return _FakeTokens()

    def encode(self, windows: Sequence[Samples]) -> list[_FakeFeatures]:
        return [
            _FakeFeatures(
                hashlib.sha256(np.ascontiguousarray(window).tobytes()).digest(),
                len(window) / SAMPLE_RATE,
                float(np.abs(window).max()) if len(window) else 0.0,
            )
            for window in windows
        ]

    def detect_language(self, features: Sequence[_FakeFeatures]) -> list[Mapping[str, float]]:
        return [{"en": 0.9, "de": 0.1} for _ in features]

    def decode(self, features: Sequence[_FakeFeatures], options: DecodeOptions) -> list[Hypothesis]:
        for window in features:
            time.sleep(window.length_s / SPEED)
            self._between_steps()
            self._fail_at(window.peak)
        return [_hypothesis(window, options) for window in features]

    def _fail_at(self, peak: float) -> None:
        if peak >= POISON_LEVEL:
            os.kill(os.getpid(), signal.SIGSEGV)
        elif peak >= HANG_LEVEL:
            threading.Event().wait()
        elif peak >= HOARD_LEVEL:
            self._hoard.append(b"\1" * HOARD_BYTES)

    def align(
        self,
        features: _FakeFeatures,
        tokens: Sequence[int],
        *,
        language: str | None,
        task: str,
        length_s: float,
    ) -> list[WordTiming]:
        step_s = length_s / max(len(tokens), 1)
        return [
            WordTiming(
                text=f" {WORDS[token]}",
                tokens=(token,),
                start_s=round(index * step_s, 2),
                end_s=round((index + 1) * step_s, 2),
                probability=1.0,
            )
            for index, token in enumerate(tokens)
        ]


class FakeEngine:
    def load(self, checkpoint: Path, *, size: str, device: str, compute_type: str) -> FakeModel:
        if not zipfile.is_zipfile(checkpoint):  # the form in which torch saves
            raise ModelDamaged(f"The model file {checkpoint.name} cannot be read.")
        return FakeModel()


class LevelDetector:
    """Speech is whatever is louder than SPEECH_RMS."""

    def probabilities(self, samples: Samples) -> npt.NDArray[np.float32]:
        frames = -(-len(samples) // FRAME_SAMPLES)
        padded = np.zeros(frames * FRAME_SAMPLES, np.float32)
        padded[: len(samples)] = samples
        rms = np.sqrt(np.mean(padded.reshape(frames, FRAME_SAMPLES) ** 2, axis=1))
        return np.asarray(rms > SPEECH_RMS, np.float32)


def _hypothesis(window: _FakeFeatures, options: DecodeOptions) -> Hypothesis:
    sentences = max(1, int(window.length_s / SENTENCE_S))
    step_s = window.length_s / sentences
    tokens: list[int] = []
    for index in range(sentences):
        words = [window.digest[(index * 4 + k) % 32] % len(WORDS) for k in range(4)]
        tokens += [_timestamp(index * step_s), *words, _timestamp((index + 1) * step_s)]
    return Hypothesis(
        tokens=tuple(tokens),
        text=_FakeTokens().decode(tokens),
        avg_logprob=-0.1,
        no_speech_prob=0.0,
        compression_ratio=1.0,
        temperature=options.temperature,
    )


def _timestamp(seconds: float) -> int:
    return _TIMESTAMP_BEGIN + round(seconds / 0.02)
