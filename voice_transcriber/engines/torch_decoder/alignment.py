"""Where in the audio each token is spoken, from what the decoder looks at.

Source: whisper/timing.py, find_alignment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from whisper.timing import dtw, median_filter

_FILTER_WIDTH = 7  # frames


@dataclass(frozen=True)
class Alignment:
    """`path` leads through (token, frame) pairs; probabilities belong to the tokens."""

    path: Sequence[tuple[int, int]]
    probabilities: Sequence[float]


def time_path(looks: Tensor, *, skip: int) -> list[tuple[int, int]]:
    """looks: (heads, tokens, frames), before the softmax; the first `skip` tokens and the last
    one are no words.
    """
    weights = looks.float().softmax(dim=-1)
    deviation, mean = torch.std_mean(weights, dim=-2, keepdim=True, unbiased=False)
    smooth = median_filter((weights - mean) / deviation, _FILTER_WIDTH)
    tokens, frames = dtw(-smooth.mean(dim=0)[skip:-1])
    return list(zip(tokens.tolist(), frames.tolist(), strict=True))
