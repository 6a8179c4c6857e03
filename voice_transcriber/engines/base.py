"""The engine's contract. One contract suite (tests/contract/test_engine.py) holds for every engine.

An engine is used by one thread: the loop of engines.host. Windows are float32
arrays of 16 kHz mono samples in -1..1, at most 30 s long. Features are opaque
to the caller, one for each window, and may be kept and used again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from voice_transcriber.job import SAMPLE_RATE

Samples = npt.NDArray[np.float32]
Features = Any  # what encode() gave for one window; only the same model understands it

Encoded = npt.NDArray[np.float32]  # an encoder's output for one window: 1500 x state

WINDOW_S = 30.0
WINDOW_SAMPLES = round(WINDOW_S * SAMPLE_RATE)


@dataclass(frozen=True, kw_only=True)
class DecodeOptions:
    """What one batch shares."""

    language: str | None  # None: the language of the first window is detected
    task: str = "transcribe"
    prompt: str | None = None
    hotwords: str | None = None  # put before the prompt
    beam_size: int | None = 5  # used at temperature 0
    best_of: int | None = 5  # used above temperature 0
    temperature: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """What the decoder wrote for one window."""

    tokens: tuple[int, ...]  # with timestamp tokens, without end of text
    text: str
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    temperature: float


@dataclass(frozen=True, kw_only=True)
class WordTiming:
    """Times in seconds from the window's start."""

    text: str
    tokens: tuple[int, ...]
    start_s: float
    end_s: float
    probability: float


class Tokens(Protocol):
    """What the shared pipeline must know of a model's tokenizer."""

    timestamp_begin: int  # the token of 0.00 s; each further token is 0.02 s later
    eot: int

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of ordinary tokens; timestamp tokens are left out."""
        ...


class Model(Protocol):
    """One loaded checkpoint."""

    device: str  # "cpu" or "cuda"
    is_multilingual: bool

    def tokens(self, *, language: str | None, task: str) -> Tokens: ...

    def encode(self, windows: Sequence[Samples]) -> list[Features]: ...

    def detect_language(self, features: Sequence[Features]) -> list[Mapping[str, float]]:
        """For each window the probability of each language code."""
        ...

    def decode(self, features: Sequence[Features], options: DecodeOptions) -> list[Hypothesis]:
        """Raises EngineOutOfMemory, GpuFailed; so do the other methods."""
        ...

    def align(
        self,
        features: Features,
        tokens: Sequence[int],
        *,
        language: str | None,
        task: str,
        length_s: float,
    ) -> list[WordTiming]:
        """Times of the words of `tokens` (text tokens only) in one window of `length_s` seconds."""
        ...


class Decoder(Model, Protocol):
    """A model that also decodes what another encoder made of a window."""

    def features_of(self, encoded: Encoded, *, samples: int = WINDOW_SAMPLES) -> Features:
        """The array as this model's features; it is not copied where that can be avoided.
        `samples` is the window's length, 30 s unless told.
        """
        ...

    def encoded_of(self, features: Features) -> Encoded:
        """The way back."""
        ...


@runtime_checkable
class Pausable(Protocol):
    """A model that lets other work pass between two steps of decode()."""

    def let_pass(self, between_steps: Callable[[], None]) -> None:
        """`between_steps` is called often while a batch is decoded, by a thread that computes it;
        it may use this model, but for changing what it computes with.
        """
        ...


@runtime_checkable
class LoadsInSteps(Protocol):
    """An engine whose load() may take minutes."""

    def on_step(self, is_urgent: Callable[[], bool]) -> None:
        """`is_urgent` is called between two steps of load(). True: more urgent work waits, and
        what can be done at another load is left out.
        """
        ...


@runtime_checkable
class Assembled(Protocol):
    """A model whose parts were chosen apart from each other."""

    engine: str
    compute_type: str
    encoder: str


class Engine(Protocol):
    """Loads checkpoints."""

    def load(self, checkpoint: Path, *, size: str, device: str, compute_type: str) -> Model:
        """`size` is the model's name; `device` is "cpu" or "cuda"; `compute_type` is one that
        engines.compute names for the engine.

        Raises ModelDamaged, EngineOutOfMemory, GpuFailed; an engine that converts checkpoints
        DiskFull and ModelUnavailable too.
        """
        ...


class DecoderEngine(Protocol):
    """An engine whose models are Decoders."""

    def load(self, checkpoint: Path, *, size: str, device: str, compute_type: str) -> Decoder: ...


class VoiceDetector(Protocol):
    """Tells speech from the rest."""

    def probabilities(self, samples: Samples) -> npt.NDArray[np.float32]:
        """Probability of speech for each frame of audio.vad.FRAME_SAMPLES samples."""
        ...
