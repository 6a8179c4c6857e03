"""The decoder's layers, computed for the beams of many windows at once.

The sums between layers and the norms are float32; the products are computed in the type of the
weights. Source: whisper/model.py, TextDecoder.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from voice_transcriber.engines.torch_decoder.linear import Linear, make_linear
from voice_transcriber.engines.torch_decoder.memory import (
    AudioMemory,
    KeysValues,
    TextMemory,
    room_for,
)

WhisperDecoder = Any  # whisper.model.TextDecoder; whisper has no types
WhisperAttention = Any  # whisper.model.MultiHeadAttention


class _Norm:
    """Computed in float32; what it gives is of the type asked for."""

    def __init__(self, module: nn.LayerNorm, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._shape = module.normalized_shape
        self._weight, self._bias = module.weight.float(), module.bias.float()
        self._eps = module.eps

    def __call__(self, x: Tensor) -> Tensor:
        normed = functional.layer_norm(x, self._shape, self._weight, self._bias, self._eps)
        return normed.to(self._dtype)


class _Attention:
    def __init__(self, module: WhisperAttention, dtype: torch.dtype) -> None:
        self.heads: int = module.n_head
        self._query = _linear(module.query, dtype)
        self._key = _linear(module.key, dtype)
        self._value = _linear(module.value, dtype)
        self._out = _linear(module.out, dtype)

    def keys_values(self, x: Tensor) -> KeysValues:
        return self._split(self._key(x)), self._split(self._value(x))

    def kept_keys_values(self, x: Tensor) -> KeysValues:
        """To be read at many steps: each head's lie together."""
        return self._split(self._key(x)).contiguous(), self._split(self._value(x)).contiguous()

    def to_text(self, x: Tensor, memory: KeysValues, mask: Tensor) -> Tensor:
        """x: (windows, queries, state); mask: (windows or 1, 1, queries, entries), added."""
        keys, values = memory
        return self._joined(
            functional.scaled_dot_product_attention(
                self._split(self._query(x)), keys, values, attn_mask=mask
            )
        )

    def to_audio(self, x: Tensor, memory: KeysValues, log_counts: Tensor | None) -> Tensor:
        """The same to all frames, which count as `log_counts` says. Two products are faster here
        than torch's fused attention, which is made for as many queries as keys.
        """
        scores = self.scores(x, memory)
        if log_counts is not None:
            scores += log_counts
        weights = torch.softmax(scores, dim=-1)
        _, values = memory
        attended = torch.bmm(weights.flatten(0, 1), values.flatten(0, 1))
        return self._joined(attended.view(*weights.shape[:2], *attended.shape[1:]))

    def scores(self, x: Tensor, memory: KeysValues) -> Tensor:
        """How strongly to look at each frame; (windows, heads, queries, frames)."""
        keys, _ = memory
        queries = self._split(self._query(x))
        scale = 1 / math.sqrt(queries.shape[3])
        scores = torch.bmm(queries.flatten(0, 1) * scale, keys.flatten(0, 1).transpose(1, 2))
        return scores.view(*queries.shape[:2], *scores.shape[1:])

    def _joined(self, x: Tensor) -> Tensor:
        return self._out(x.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


class _Block:
    def __init__(self, module: Any, dtype: torch.dtype) -> None:
        self.attention = _Attention(module.attn, dtype)
        self.attention_norm = _Norm(module.attn_ln, dtype)
        self.audio_attention = _Attention(module.cross_attn, dtype)
        self.audio_norm = _Norm(module.cross_attn_ln, dtype)
        self.mlp_norm = _Norm(module.mlp_ln, dtype)
        self._wide, self._narrow = (_linear(module.mlp[index], dtype) for index in (0, 2))

    def mlp(self, x: Tensor) -> Tensor:
        return self._narrow(functional.gelu(self._wide(self.mlp_norm(x))))


class DecoderNetwork:
    """Whisper's decoder with the weights of a loaded network."""

    def __init__(self, decoder: WhisperDecoder, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.device: torch.device = decoder.positional_embedding.device
        self._embedding: Tensor = decoder.token_embedding.weight.detach().to(dtype)
        self._positions: Tensor = decoder.positional_embedding.detach().float()
        self._blocks = [_Block(block, dtype) for block in decoder.blocks]
        self._norm = _Norm(decoder.ln, torch.float32)

    @property
    def embedding(self) -> Tensor:
        """(vocabulary, state); also the weight of the logits."""
        return self._embedding

    def audio_memory(self, features: Tensor, log_counts: Tensor | None = None) -> AudioMemory:
        """features: (windows, frames, state), of the encoder's output."""
        return AudioMemory(
            [block.audio_attention.kept_keys_values(features) for block in self._blocks], log_counts
        )

    def text_memory(self, *, windows: int, prefix: int, beams: int) -> TextMemory:
        state = self._embedding.shape[1]
        heads = self._blocks[0].attention.heads
        return TextMemory(
            layers=len(self._blocks),
            windows=windows,
            heads=heads,
            width=state // heads,
            room=room_for(prefix=prefix, beams=beams),
            like=self._embedding,
        )

    def read_prefix(
        self,
        tokens: Tensor,
        text: TextMemory,
        audio: AudioMemory,
        *,
        attention: dict[int, Tensor] | None = None,
    ) -> Tensor:
        """Tokens that are known; (windows, tokens) -> (windows, tokens, state).

        `attention` takes, for each layer that is a key of it, how strongly each token looks at
        each frame of the audio: (windows, heads, tokens, frames), before the softmax.
        """
        length = tokens.shape[1]
        causal = torch.full((length, length), -torch.inf, dtype=self.dtype, device=self.device)
        mask = causal.triu_(1)[None, None]
        return self._read(tokens, self._positions[:length], mask, text, audio, attention or {})

    def read_step(
        self, tokens: Tensor, position: int, mask: Tensor, text: TextMemory, audio: AudioMemory
    ) -> Tensor:
        """One token for each beam; tokens: (windows, beams) -> (windows, beams, state).

        mask: (windows, 1, beams, entries) of this type, 0 for a beam's own past, else -inf.
        """
        return self._read(tokens, self._positions[position], mask, text, audio, {})

    def _read(
        self,
        tokens: Tensor,
        positions: Tensor,
        mask: Tensor,
        text: TextMemory,
        audio: AudioMemory,
        attention: dict[int, Tensor],
    ) -> Tensor:
        x = self._embedding[tokens].float() + positions
        for index, block in enumerate(self._blocks):
            normed = block.attention_norm(x)
            memory = text.append(index, *block.attention.keys_values(normed))
            x = x + block.attention.to_text(normed, memory, mask)
            heard = audio.layer(index, len(tokens))
            normed = block.audio_norm(x)
            if index in attention:
                attention[index] = block.audio_attention.scores(normed, heard)
            x = x + block.audio_attention.to_audio(normed, heard, audio.log_counts(len(tokens)))
            x = x + block.mlp(x)
        return self._norm(x)


def _linear(module: nn.Linear, dtype: torch.dtype) -> Linear:
    weight = module.weight.detach().to(dtype)
    bias = None if module.bias is None else module.bias.detach().to(dtype)
    return make_linear(weight, bias)
