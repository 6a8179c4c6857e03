"""The engine on CTranslate2, which computes with 8-bit weights on a CPU.

It works on a converted form of the checkpoint (engines.ct2_convert), made on first use. Features
are the encoder's output, one float32 array of 1500 x state for each window, in the computer's
memory: stacking a batch of 8 costs a few milliseconds, and numpy knows no other type of
CTranslate2's. Spectrogram, tokenizer and the rules of the text are whisper's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import torch
from whisper.audio import N_FRAMES
from whisper.tokenizer import Tokenizer
from whisper.utils import compression_ratio

from voice_transcriber.engines.aligned_words import aligned_words
from voice_transcriber.engines.base import (
    WINDOW_SAMPLES,
    DecodeOptions,
    Encoded,
    Features,
    Hypothesis,
    Samples,
    WordTiming,
)
from voice_transcriber.engines.conversions import Conversions
from voice_transcriber.engines.ct2_convert import convert
from voice_transcriber.engines.native_faults import faults_named, is_out_of_memory
from voice_transcriber.engines.prompting import prompt_tokens
from voice_transcriber.engines.whisper_text import (
    WhisperTokens,
    language_of,
    log_mel,
    tokenizer_of,
)

CONVERTER = f"ctranslate2 {ctranslate2.__version__}, form 1"

_FRAMES_PER_S = 100
_LONGEST_PROMPT = 223  # tokens; half of what the decoder reads, less one
_FAULTS_OF_THE_GPU = ("cuda", "cublas", "cudnn", "library")

# On a CPU a batch of windows is encoded no faster than one after the other, and takes its
# attention weights at once: 9 MB for each window and head.
_ENCODED_TOGETHER = 1

Native = Any  # ctranslate2.models.Whisper; CTranslate2 has no types
Result = Any  # ctranslate2.models.WhisperGenerationResult


class FasterWhisperEngine:
    """Loads the checkpoints that openai-whisper loads."""

    def __init__(self, model_dir: Path | None = None) -> None:
        """`model_dir` takes the converted models; without it they lie beside the checkpoint."""
        self._model_dir = model_dir

    def load(
        self, checkpoint: Path, *, size: str, device: str, compute_type: str
    ) -> FasterWhisperModel:
        """As the contract says; `compute_type` is one that engines.compute names.

        Raises DiskFull and ModelUnavailable too, when the converted form cannot be kept.
        """
        conversions = Conversions(self._model_dir or checkpoint.parent, converter=CONVERTER)
        with faults_named(size, device):
            reader = conversions.opened(
                checkpoint,
                partial(convert, checkpoint, size=size),
                lambda folder: _Reader(partial(_open, folder, device, compute_type)),
                is_damage=_is_damage,
            )
        return FasterWhisperModel(reader, size=size, device=device)


class FasterWhisperModel:
    """One checkpoint in memory."""

    def __init__(self, reader: _Reader, *, size: str, device: str) -> None:
        self._reader = reader
        self._size = size
        self.device = device
        self.is_multilingual: bool = reader.native.is_multilingual
        self._languages = reader.native.num_languages if self.is_multilingual else None

    def tokens(self, *, language: str | None, task: str) -> WhisperTokens:
        return WhisperTokens(self._tokenizer(language, task))

    def features_of(self, encoded: Encoded, *, samples: int = WINDOW_SAMPLES) -> Features:
        return encoded

    def encoded_of(self, features: Features) -> Encoded:
        encoded: Encoded = features
        return encoded

    def encode(self, windows: Sequence[Samples]) -> list[Features]:
        size = len(windows) if self.device == "cuda" else _ENCODED_TOGETHER
        return [one for group in _groups(windows, size) for one in self._encoded(group)]

    def _encoded(self, windows: Sequence[Samples]) -> list[Features]:
        with faults_named(self._size, self.device):
            native = self._reader.native
            mels = torch.stack([log_mel(window, bands=native.n_mels) for window in windows])
            encoded = native.encode(ctranslate2.StorageView.from_array(mels.numpy()), to_cpu=True)
            return list(np.array(encoded.to(ctranslate2.DataType.float32)))

    def detect_language(self, features: Sequence[Features]) -> list[Mapping[str, float]]:
        if not self.is_multilingual:
            return [{"en": 1.0} for _ in features]
        with faults_named(self._size, self.device):
            found = self._reader.native.detect_language(_batch(features))
        return [{token[2:-2]: probability for token, probability in one} for one in found]

    def decode(self, features: Sequence[Features], options: DecodeOptions) -> list[Hypothesis]:
        tokenizer = self._tokenizer(language_of(self, features, options), options.task)
        start = _start(tokenizer, options)
        with faults_named(self._size, self.device):
            if options.temperature > 0:
                results = self._sampled(features, start, options)
            else:
                results = self._reader.native.generate(
                    _batch(features),
                    [start] * len(features),
                    beam_size=options.beam_size or 1,
                    return_scores=True,
                    return_no_speech_prob=True,
                )
        return [_hypothesis(result, tokenizer, options.temperature) for result in results]

    def _sampled(
        self, features: Sequence[Features], start: list[int], options: DecodeOptions
    ) -> list[Result]:
        """Window by window: CTranslate2 copies the audio's keys and values for each sample."""
        # The same audio gives the same text again, after a crash too.
        native = self._reader.seeded(round(options.temperature * 1000))
        return [
            result
            for one in features
            for result in native.generate(
                _batch([one]),
                [start],
                beam_size=1,
                num_hypotheses=options.best_of or 1,
                sampling_topk=0,
                sampling_temperature=options.temperature,
                return_scores=True,
                return_no_speech_prob=True,
            )
        ]

    def align(
        self,
        features: Features,
        tokens: Sequence[int],
        *,
        language: str | None,
        task: str,
        length_s: float,
    ) -> list[WordTiming]:
        if not tokens:
            return []
        tokenizer = self._tokenizer(language, task)
        with faults_named(self._size, self.device):
            (aligned,) = self._reader.native.align(
                _batch([features]),
                list(tokenizer.sot_sequence),
                [list(tokens)],
                min(int(length_s * _FRAMES_PER_S), N_FRAMES),
            )
        return aligned_words(aligned.alignments, aligned.text_token_probs, tokens, tokenizer)

    def _tokenizer(self, language: str | None, task: str) -> Tokenizer:
        return tokenizer_of(self._languages, language=language, task=task)


class _Reader:
    """CTranslate2's model, and how it is opened."""

    def __init__(self, opener: Callable[[], Native]) -> None:
        self._open = opener
        self._native: Native | None = opener()

    @property
    def native(self) -> Native:
        if self._native is None:
            self._native = self._open()
        return self._native

    def seeded(self, seed: int) -> Native:
        """The model opened anew: its threads seed their lots once, when they first draw one."""
        self._native = None  # first: never two of them in memory
        ctranslate2.set_random_seed(seed)
        return self.native


def _open(folder: Path, device: str, compute_type: str) -> Native:
    """The threads are those that were set for torch."""
    return ctranslate2.models.Whisper(
        str(folder),
        device=device,
        compute_type=compute_type,
        intra_threads=torch.get_num_threads(),
    )


def _is_damage(error: RuntimeError) -> bool:
    text = str(error).lower()
    return not is_out_of_memory(error) and not any(word in text for word in _FAULTS_OF_THE_GPU)


def _batch(features: Sequence[Features]) -> ctranslate2.StorageView:
    return ctranslate2.StorageView.from_array(np.stack(features))


def _groups(windows: Sequence[Samples], size: int) -> Iterator[Sequence[Samples]]:
    for first in range(0, len(windows), size):
        yield windows[first : first + size]


def _start(tokenizer: Tokenizer, options: DecodeOptions) -> list[int]:
    """What stands before the text: the prompt, then language and task."""
    if not (options.prompt or options.hotwords):
        return list(tokenizer.sot_sequence)
    told = prompt_tokens(
        tokenizer.encode, hotwords=options.hotwords, prompt=options.prompt, limit=_LONGEST_PROMPT
    )
    return [tokenizer.sot_prev, *told, *tokenizer.sot_sequence]


def _hypothesis(result: Result, tokenizer: Tokenizer, temperature: float) -> Hypothesis:
    """The likeliest text, with the figures that whisper's decoding computes.

    CTranslate2's score is the sum of the log-probabilities over the number of tokens; whisper's
    mean counts the end of the text as a token.
    """
    best = max(range(len(result.scores)), key=lambda index: result.scores[index])
    tokens = result.sequences_ids[best]
    text = tokenizer.decode([token for token in tokens if token < tokenizer.eot]).strip()
    return Hypothesis(
        tokens=tuple(tokens),
        text=text,
        avg_logprob=result.scores[best] * len(tokens) / (len(tokens) + 1),
        no_speech_prob=result.no_speech_prob,
        compression_ratio=compression_ratio(text),
        temperature=temperature,
    )
