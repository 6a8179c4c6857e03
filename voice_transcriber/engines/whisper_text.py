"""What engines for whisper's checkpoints share: its spectrogram and its tokenizer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from whisper.audio import HOP_LENGTH, N_FFT, N_FRAMES, mel_filters
from whisper.tokenizer import Tokenizer, get_tokenizer

from voice_transcriber.engines.base import DecodeOptions, Features, Model, Samples
from voice_transcriber.engines.stopwatch import inner_stage

_SILENCE = 1e-10  # the least power that counts
_FRAMES_OF_THE_EDGE = 4  # frames from the end of the audio to where silence alone is heard
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


def language_of(model: Model, features: Sequence[Features], options: DecodeOptions) -> str | None:
    """The language that a batch is decoded in: what is asked for, else that of the first window."""
    if options.language is not None or not model.is_multilingual:
        return options.language
    (found,) = model.detect_language(features[:1])
    return max(found, key=lambda code: found[code])


def log_mel(window: Samples, *, bands: int, device: str = "cpu") -> torch.Tensor:
    """Bands x 3000 frames of a window, filled up with silence to 30 s.

    The values are those of whisper's log_mel_spectrogram, which transforms the silence too.
    """
    with inner_stage("features"):
        frames = min(N_FRAMES, len(window) // HOP_LENGTH + _FRAMES_OF_THE_EDGE)
        padded = np.zeros(frames * HOP_LENGTH, np.float32)
        padded[: len(window)] = window
        waves = torch.stft(
            torch.from_numpy(padded).to(device),
            N_FFT,
            HOP_LENGTH,
            window=torch.hann_window(N_FFT, device=device),
            return_complex=True,
        )
        real, imaginary = torch.view_as_real(waves[:, :-1]).unbind(-1)
        power = real.square().addcmul_(imaginary, imaginary)
        found = (mel_filters(device, bands) @ power).clamp_(min=_SILENCE).log10_()
        mel = torch.full((bands, N_FRAMES), math.log10(_SILENCE), device=device)
        mel[:, :frames] = found
        return mel.maximum(found.max() - 8.0).add_(4.0).div_(4.0)
