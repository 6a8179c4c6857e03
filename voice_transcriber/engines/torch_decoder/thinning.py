"""Fewer frames for the silence that fills a window up to 30 s.

A decoder's step reads the keys and values of every frame, so a clip of 5 s costs as much as one
of 30 s. Leaving the silence out costs words: the model has learned that it is there. So eight
frames of it become one, their mean, which counts eight times, by the logarithm of 8 added to its
attention score: attention then gives the silence the share that it had, because its frames are
nearly alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_MARGIN = 50  # frames behind the sound that all stay: 1 s
_STRIDE = 8
_WORTHWHILE = 0.9  # with more frames than this part of all nothing is left out


def thinned(features: Tensor, heard: Sequence[int]) -> tuple[Tensor, Tensor | None]:
    """The frames that stay, and the logarithm of how many each stands for; (windows, frames).

    features: (windows, frames, state); `heard` is the number of frames with sound of each window.
    Windows that need fewer frames than others are filled up with frames that count nothing.
    """
    frames = features.shape[1]
    whole = [min(one + _MARGIN, frames) for one in heard]
    counts = [_counts(one, frames) for one in whole]
    longest = max(len(one) for one in counts)
    if longest > _WORTHWHILE * frames:
        return features, None
    fewer = features.new_zeros(len(whole), longest, features.shape[2])
    log_counts = features.new_full((len(whole), longest), -torch.inf)
    for row, (end, of_row) in enumerate(zip(whole, counts, strict=True)):
        fewer[row, :end] = features[row, :end]
        silence = torch.split(features[row, end:].float(), _STRIDE)
        means = [frames_of_one.mean(dim=0) for frames_of_one in silence]
        fewer[row, end : len(of_row)] = torch.stack(means)
        log_counts[row, : len(of_row)] = torch.tensor(of_row).log()
    return fewer, log_counts


def _counts(whole: int, frames: int) -> list[float]:
    """How many frames each that stays stands for."""
    silent = frames - whole
    rest = [float(silent % _STRIDE)] if silent % _STRIDE else []
    return [1.0] * whole + [float(_STRIDE)] * (silent // _STRIDE) + rest
