"""Batches of windows with beams on openai-whisper, which decodes beams for one window only.

openai-whisper 20250625 repeats the text tokens for each beam but not the audio
features, so its cross-attention works only where one window broadcasts. Here
the beams of a window become further queries on its one copy of keys and values:
cross-attention has no mask, so its queries do not see each other.
"""

from __future__ import annotations

from typing import Any

import torch
import whisper
from torch import Tensor, nn
from whisper.decoding import DecodingTask
from whisper.model import MultiHeadAttention


class SharedCrossAttention(nn.Module):
    """Cross-attention in which the n beams of a window share its keys and values.

    x: (windows * beams, tokens, state), xa: (windows, frames, state).
    """

    def __init__(self, attention: MultiHeadAttention) -> None:
        super().__init__()
        self.attention = attention

    def forward(
        self,
        x: Tensor,
        xa: Tensor,
        mask: Tensor | None = None,
        kv_cache: dict[nn.Module, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        queries = x.reshape(xa.shape[0], -1, x.shape[-1])
        output, weights = self.attention(queries, xa, mask, kv_cache)
        return output.reshape(x.shape), weights


class BatchedDecodingTask(DecodingTask):
    """DecodingTask whose run() takes the features of several windows, with beams or samples.

    run() wants features with one row for each beam only to count them; the rows
    that it gets are empty, and the real features go to the model.
    """

    def _get_audio_features(self, mel: Tensor) -> Tensor:
        self._features = super()._get_audio_features(mel)
        rows: Tensor = self._features.new_empty(self._features.shape[0] * self.n_group, 0)
        return rows

    def _detect_language(self, _rows: Tensor, tokens: Tensor) -> Any:
        return super()._detect_language(self._features, tokens)

    def _main_loop(self, _rows: Tensor, tokens: Tensor) -> Any:
        return super()._main_loop(self._features, tokens)


def share_cross_attention(network: whisper.Whisper) -> None:
    """Prepare a loaded network for BatchedDecodingTask."""
    for block in network.decoder.blocks:
        block.cross_attn = SharedCrossAttention(block.cross_attn)


@torch.inference_mode()
def decode_batch(
    network: whisper.Whisper, features: Tensor, options: whisper.DecodingOptions
) -> list[whisper.DecodingResult]:
    """Like whisper.decode, for features of shape (windows, frames, state)."""
    results: list[whisper.DecodingResult] = BatchedDecodingTask(network, options).run(features)
    return results
