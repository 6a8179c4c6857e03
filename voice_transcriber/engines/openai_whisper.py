"""The engine on openai-whisper's encoder and torch: CPU or CUDA, in half precision where it pays.

Features are the encoder's output for a window, and the length of its sound. Text is decoded by
engines.torch_decoder with the weights of whisper's own decoder.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import whisper
from whisper.audio import N_SAMPLES_PER_TOKEN, TOKENS_PER_SECOND
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
from voice_transcriber.engines.native_faults import UNREADABLE, faults_named, is_out_of_memory
from voice_transcriber.engines.prompting import prompt_tokens
from voice_transcriber.engines.torch_decoder.decoding import BatchDecoder, SearchOptions
from voice_transcriber.engines.torch_decoder.lanes import Lanes
from voice_transcriber.engines.torch_decoder.network import DecoderNetwork
from voice_transcriber.engines.torch_decoder.rules import Vocabulary
from voice_transcriber.engines.whisper_text import (
    WhisperTokens,
    language_of,
    languages_of,
    log_mel,
    tokenizer_of,
)
from voice_transcriber.errors import ModelDamaged

_TYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class AudioFeatures:
    """Of one window."""

    states: torch.Tensor  # 1500 x state
    samples: int  # of the window; the rest of the 30 s is silence

    @property
    def heard(self) -> int:
        """Frames with sound."""
        return math.ceil(self.samples / N_SAMPLES_PER_TOKEN)


def _states(features: Sequence[AudioFeatures]) -> torch.Tensor:
    return torch.stack([one.states for one in features])


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
            _reduce(network, _TYPES[compute_type])
            return OpenAIWhisperModel(network.to(device), size=size, device=device)


class OpenAIWhisperModel:
    """One checkpoint in memory."""

    def __init__(self, network: whisper.Whisper, *, size: str, device: str) -> None:
        self._dims = network.dims
        self._encoder = network.encoder.eval()
        self._dtype: torch.dtype = network.encoder.conv1.weight.dtype
        self._decoder = BatchDecoder(
            DecoderNetwork(network.decoder, self._dtype), context=network.dims.n_text_ctx
        )
        self._lanes = Lanes(
            self._decoder, threads=torch.get_num_threads() if device == "cpu" else 1
        )
        self._alignment_heads = [
            (layer, head) for layer, head in network.alignment_heads.indices().T.tolist()
        ]
        self._size = size
        self.device = device
        self.is_multilingual: bool = network.is_multilingual

    def tokens(self, *, language: str | None, task: str) -> WhisperTokens:
        return WhisperTokens(self._tokenizer(language, task))

    def let_pass(self, between_steps: Callable[[], None]) -> None:
        self._lanes.between_steps = between_steps

    def features_of(self, encoded: Encoded, *, samples: int = WINDOW_SAMPLES) -> AudioFeatures:
        return AudioFeatures(torch.from_numpy(encoded).to(self.device, self._dtype), samples)

    def encoded_of(self, features: AudioFeatures) -> Encoded:
        encoded: Encoded = features.states.float().cpu().numpy()
        return encoded

    @torch.inference_mode()
    def encode(self, windows: Sequence[Samples]) -> list[Features]:
        with faults_named(self._size, self.device):
            mels = [self._log_mel(window) for window in windows]
            states = self._encoder(torch.stack(mels))
        return [
            AudioFeatures(one, len(window)) for one, window in zip(states, windows, strict=True)
        ]

    def detect_language(self, features: Sequence[Features]) -> list[Mapping[str, float]]:
        if not self.is_multilingual:
            return [{"en": 1.0} for _ in features]
        tokenizer = self._tokenizer(None, "transcribe")
        with faults_named(self._size, self.device):
            found = self._decoder.languages(
                _states(features),
                start_token=tokenizer.sot,
                languages=tokenizer.all_language_tokens,
            )
        return [dict(zip(tokenizer.all_language_codes, one, strict=True)) for one in found.tolist()]

    def decode(self, features: Sequence[Features], options: DecodeOptions) -> list[Hypothesis]:
        tokenizer = self._tokenizer(language_of(self, features, options), options.task)
        prompt = self._prompt(options)
        with faults_named(self._size, self.device):
            found = self._lanes.decode(
                _states(features),
                [*prompt, *tokenizer.sot_sequence],
                start=len(prompt),
                vocabulary=Vocabulary.of(tokenizer, self._dims.n_vocab),
                options=SearchOptions(
                    beam_size=options.beam_size or 1,
                    best_of=options.best_of or 1,
                    temperature=options.temperature,
                ),
                heard=[one.heard for one in features],
            )
        texts = [tokenizer.decode(list(one.tokens)).strip() for one in found]
        return [
            Hypothesis(
                tokens=one.tokens,
                text=text,
                avg_logprob=one.avg_logprob,
                no_speech_prob=one.no_speech_prob,
                compression_ratio=compression_ratio(text),
                temperature=options.temperature,
            )
            for one, text in zip(found, texts, strict=True)
        ]

    def _prompt(self, options: DecodeOptions) -> list[int]:
        if not (options.prompt or options.hotwords):
            return []
        tokenizer = self._tokenizer(options.language, options.task)
        told = prompt_tokens(
            tokenizer.encode,
            hotwords=options.hotwords,
            prompt=options.prompt,
            limit=self._dims.n_text_ctx // 2 - 1,
        )
        return [tokenizer.sot_prev, *told]

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
            found = self._decoder.align(
                features.states,
                [*tokenizer.sot_sequence, tokenizer.no_timestamps],
                tokens,
                heads=self._alignment_heads,
                frames=min(int(length_s * TOKENS_PER_SECOND), self._dims.n_audio_ctx),
                eot=tokenizer.eot,
            )
        return aligned_words(found.path, found.probabilities, tokens, tokenizer)

    def _tokenizer(self, language: str | None, task: str) -> Tokenizer:
        return tokenizer_of(languages_of(self._dims.n_vocab), language=language, task=task)

    def _log_mel(self, window: Samples) -> torch.Tensor:
        return log_mel(window, bands=self._dims.n_mels, device=self.device).to(self._dtype)


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


def _reduce(network: whisper.Whisper, dtype: torch.dtype) -> None:
    """To a type of less precision, but for the layer norms: whisper computes them in float32."""
    network.to(dtype)
    for module in network.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.float()
