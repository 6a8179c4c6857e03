"""Which frames stay of the silence behind a clip."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voice_transcriber.engines.torch_decoder.thinning import thinned

FRAMES = 1500


def numbered(windows: int) -> torch.Tensor:
    """Each frame is its own number."""
    return torch.arange(FRAMES, dtype=torch.float32)[None, :, None].expand(windows, -1, 1)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=4))
def test_the_frames_that_stay_stand_for_all(heard: list[int]) -> None:
    fewer, log_counts = thinned(numbered(len(heard)), heard)
    assert log_counts is not None
    assert log_counts.exp().sum(dim=1).tolist() == pytest.approx([FRAMES] * len(heard), rel=1e-5)
    for row, one in enumerate(heard):
        stays = fewer[row, log_counts[row] > -torch.inf, 0]
        assert stays[: one + 50].tolist() == list(range(one + 50))
        assert (stays.diff() > 0).all()
        assert (stays * log_counts[row, : len(stays)].exp()).sum().item() == pytest.approx(
            FRAMES * (FRAMES - 1) / 2, rel=1e-5
        )


def test_a_window_that_is_nearly_full_keeps_all() -> None:
    features = numbered(2)
    assert thinned(features, [100, 1400]) == (features, None)


def test_a_clip_of_five_seconds_keeps_less_than_a_third() -> None:
    fewer, _ = thinned(numbered(1), [250])
    assert fewer.shape[1] == 300 + 150
