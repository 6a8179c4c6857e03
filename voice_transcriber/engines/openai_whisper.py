"""The engine on openai-whisper and torch: CPU, or CUDA in half precision.

Features are the encoder's output, one tensor of 1500 x state for each window;
the decoder takes them in place of the log-mel spectrogram.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import whisper
from whisper.audio import N_FRAMES
from whisper.decoding import DecodingOptions
from whisper.timing import find_alignment
from whisper.tokenizer import Tokenizer

from voice_transcriber.engines.base import (
    DecodeOptions,
    Features,
    Hypothesis,
    Samples,
    WordTiming,
)
from voice_transcriber.engines.native_faults import UNREADABLE, faults_named, is_out_of_memory
from voice_transcriber.engines.prompting import prompt_tokens
from voice_transcriber.engines.whisper_batch import decode_batch, share_cross_attention
from voice_transcriber.engines.whisper_text import (
    WhisperTokens,
    languages_of,
    log_mel,
    tokenizer_of,
)
from voice_transcriber.errors import ModelDamaged

_FRAMES_PER_S = 100


class OpenAIWhisperEngine:
    """Loads official checkpoints, and one's own in the same format."""

    def load(
        self, checkpoint: Path, *, size: str, device: str, compute_type: str
    ) -> OpenAIWhisperModel:
        with faults_named(size, device):
            try:
                network = whisper.load_model(str(checkpoint), device="cpu")
            except UNREADABLE as error:
                if is_out_of_memory(error):
                    raise
                raise ModelDamaged(f"The model file {checkpoint.name} cannot be read.") from error
            set_alignment_heads(network, checkpoint, size)
            if compute_type == "float16":
                _halve(network)
            network = network.to(device)
        share_cross_attention(network)
        return OpenAIWhisperModel(network, size=size, device=device)


class OpenAIWhisperModel:
    """One checkpoint in memory."""

    def __init__(self, network: whisper.Whisper, *, size: str, device: str) -> None:
        self._network = network.eval()
        self._size = size
        self._fp16 = next(network.parameters()).dtype == torch.float16
        self.device = device
        self.is_multilingual: bool = network.is_multilingual

    def tokens(self, *, language: str | None, task: str) -> WhisperTokens:
        return WhisperTokens(self._tokenizer(language, task))

    @torch.inference_mode()
    def encode(self, windows: Sequence[Samples]) -> list[Features]:
        with faults_named(self._size, self.device):
            mels = [self._log_mel(window) for window in windows]
            return list(self._network.encoder(torch.stack(mels)))

    @torch.inference_mode()
    def detect_language(self, features: Sequence[Features]) -> list[Mapping[str, float]]:
        if not self.is_multilingual:
            return [{"en": 1.0} for _ in features]
        with faults_named(self._size, self.device):
            _, found = self._network.detect_language(torch.stack(list(features)))
        return list(found)

    @torch.inference_mode()
    def decode(self, features: Sequence[Features], options: DecodeOptions) -> list[Hypothesis]:
        sampled = options.temperature > 0
        asked = DecodingOptions(
            task=options.task,
            language=options.language,
            temperature=options.temperature,
            beam_size=None if sampled else options.beam_size,
            best_of=options.best_of if sampled else None,
            prompt=self._prompt(options),
            fp16=self._fp16,
        )
        if sampled:  # the same audio gives the same text again, after a crash too
            torch.manual_seed(round(options.temperature * 1000))
        with faults_named(self._size, self.device):
            results = decode_batch(self._network, torch.stack(list(features)), asked)
        return [
            Hypothesis(
                tokens=tuple(result.tokens),
                text=result.text,
                avg_logprob=result.avg_logprob,
                no_speech_prob=result.no_speech_prob,
                compression_ratio=result.compression_ratio,
                temperature=options.temperature,
            )
            for result in results
        ]

    def _prompt(self, options: DecodeOptions) -> list[int] | None:
        if not (options.prompt or options.hotwords):
            return None
        tokenizer = self._tokenizer(options.language, options.task)
        return prompt_tokens(
            tokenizer.encode,
            hotwords=options.hotwords,
            prompt=options.prompt,
            limit=self._network.dims.n_text_ctx // 2 - 1,
        )

    @torch.inference_mode()
    def align(
        self,
        features: Features,
        tokens: Sequence[int],
        *,
        language: str | None,
        task: str,
        length_s: float,
    ) -> list[WordTiming]:
        tokenizer = self._tokenizer(language, task)
        with faults_named(self._size, self.device):
            found = find_alignment(
                _Aligned(self._network, features),
                tokenizer,
                list(tokens),
                torch.empty(0),
                min(int(length_s * _FRAMES_PER_S), N_FRAMES),
            )
        return [
            WordTiming(
                text=word.word,
                tokens=tuple(word.tokens),
                start_s=float(word.start),
                end_s=float(word.end),
                probability=float(word.probability),
            )
            for word in found
        ]

    def _tokenizer(self, language: str | None, task: str) -> Tokenizer:
        languages = languages_of(self._network.dims.n_vocab)
        return tokenizer_of(languages, language=language, task=task)

    def _log_mel(self, window: Samples) -> torch.Tensor:
        mel = log_mel(window, bands=self._network.dims.n_mels, device=self.device)
        return mel.half() if self._fp16 else mel


class _Aligned:
    """Gives whisper's find_alignment the network with the features that are known already.

    find_alignment calls `model(mel, tokens)`, which would encode a second time.
    """

    def __init__(self, network: whisper.Whisper, features: torch.Tensor) -> None:
        self._network = network
        self._features = features

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def __call__(self, _mel: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self._network.decoder(tokens, self._features.unsqueeze(0))
        return logits


def set_alignment_heads(network: whisper.Whisper, checkpoint: Path, size: str) -> None:
    """By the model's name, as openai-whisper does; else from the file's own key."""
    known = whisper._ALIGNMENT_HEADS.get(size)
    if known is not None:
        network.set_alignment_heads(known)
        return
    heads = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True).get(
        "alignment_heads"
    )
    if not heads:
        return
    dims = network.dims
    mask = torch.zeros(dims.n_text_layer, dims.n_text_head, dtype=torch.bool)
    for layer, head in heads:
        mask[layer, head] = True
    network.register_buffer("alignment_heads", mask.to_sparse(), persistent=False)


def _halve(network: whisper.Whisper) -> None:
    """Half precision, but for the layer norms: whisper computes them in single precision."""
    network.half()
    for module in network.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.float()
