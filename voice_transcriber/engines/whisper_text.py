"""What engines for whisper's checkpoints share: its spectrogram and its tokenizer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from whisper.audio import N_SAMPLES, log_mel_spectrogram, pad_or_trim
from whisper.tokenizer import Tokenizer, get_tokenizer

from voice_transcriber.engines.base import Samples

_MULTILINGUAL_TOKENS = 51865  # with 99 languages; an English model has one token less


class WhisperTokens:
    """The contract's view of whisper's tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.timestamp_begin: int = tokenizer.timestamp_begin
        self.eot: int = tokenizer.eot

    def decode(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode([token for token in tokens if token < self.eot])
        return text


def tokenizer_of(
    languages: int | None, *, language: str | None = None, task: str = "transcribe"
) -> Tokenizer:
    """Whisper's tokenizer for a model of so many languages; None: an English model."""
    if languages is None:
        return get_tokenizer(multilingual=False)
    return get_tokenizer(multilingual=True, num_languages=languages, language=language, task=task)


def languages_of(vocabulary_size: int) -> int | None:
    """How many languages a model has that has so many tokens; None: an English model."""
    if vocabulary_size < _MULTILINGUAL_TOKENS:
        return None
    return 99 + vocabulary_size - _MULTILINGUAL_TOKENS


def log_mel(window: Samples, *, bands: int, device: str = "cpu") -> torch.Tensor:
    """Bands x 3000 frames of a window, filled up with silence to 30 s."""
    padded = pad_or_trim(np.ascontiguousarray(window), N_SAMPLES)
    mel: torch.Tensor = log_mel_spectrogram(torch.from_numpy(padded).to(device), bands)
    return mel
