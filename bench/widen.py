"""Widen the demo checkpoint to the dimensions of a published size; what it computes stays.

Every feature is repeated k times and every weight that reads features is divided by k, so that
layer norms and attention scores keep their values; further layers are added whose output
projections are zero. The result costs what the published size costs, and decodes what demo
decodes:

    python -m bench.widen base models/demo-base.pt
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from whisper.model import ModelDimensions, Whisper

from voice_transcriber.engines.checkpoints import DEMO_FILE

# State, heads and layers of the encoder and of the decoder.
SIZES: Mapping[str, tuple[int, int, int]] = {
    "tiny": (384, 6, 4),
    "base": (512, 8, 6),
    "small": (768, 12, 12),
    "medium": (1024, 16, 24),
    "large": (1280, 20, 32),
}
_ADDS_TO_RESIDUAL = ("attn.out.weight", "attn.out.bias", "mlp.2.weight", "mlp.2.bias")


def write_widened(size: str, target: Path, *, source: Path = DEMO_FILE) -> Path:
    checkpoint = torch.load(source, map_location="cpu", weights_only=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.save(widened(checkpoint, size), target)
    return target


def widened(checkpoint: Mapping[str, Any], size: str) -> dict[str, Any]:
    """A checkpoint in whisper's format. The size's state must be a multiple of the source's."""
    state, heads, layers = SIZES[size]
    own = ModelDimensions(**checkpoint["dims"])
    times = state // own.n_audio_state
    assert times * own.n_audio_state == state
    dims = {
        **checkpoint["dims"],
        **dict.fromkeys(("n_audio_state", "n_text_state"), state),
        **dict.fromkeys(("n_audio_head", "n_text_head"), heads),
        **dict.fromkeys(("n_audio_layer", "n_text_layer"), layers),
    }
    source = checkpoint["model_state_dict"]
    weights = {
        name: _weight(name, like, source, times).half()
        for name, like in Whisper(ModelDimensions(**dims)).state_dict().items()
    }
    aligned = [
        [layer, head + own.n_text_head * copy]
        for layer, head in checkpoint.get("alignment_heads", [])
        for copy in range(times)
    ]
    return {"dims": dims, "model_state_dict": weights, "alignment_heads": aligned}


def _weight(name: str, like: Tensor, source: Mapping[str, Tensor], times: int) -> Tensor:
    if name not in source:  # a further layer: it computes, and adds nothing
        return torch.zeros_like(like) if name.endswith(_ADDS_TO_RESIDUAL) else like
    wide = _repeated(name, source[name].float(), times)
    # The logits, ln(x) times the embedding, sum over the copies.
    wide = wide / times if name.startswith("decoder.ln.") else wide
    assert wide.shape == like.shape, name
    return wide


def _repeated(name: str, weight: Tensor, times: int) -> Tensor:
    """Whole copies of the feature blocks, so that the heads are repeated too."""
    if name == "encoder.conv1.weight":  # reads mel bands, not features
        return torch.cat([weight] * times, 0)
    if name == "decoder.token_embedding.weight" or "positional_embedding" in name:
        return torch.cat([weight] * times, 1)
    if weight.dim() >= 2:  # reads features and writes features
        return torch.cat([torch.cat([weight] * times, 0)] * times, 1) / times
    return torch.cat([weight] * times, 0)


if __name__ == "__main__":
    write_widened(sys.argv[1], Path(sys.argv[2]))
