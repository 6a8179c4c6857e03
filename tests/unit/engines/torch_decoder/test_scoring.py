"""The likeliest tokens of a row and the mass of the rest."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voice_transcriber.engines.torch_decoder.scoring import largest, log_of_sum, with_exact


@given(st.integers(0, 2**32 - 1), st.integers(1300, 1400), st.integers(1, 7))
def test_the_largest_are_those_of_topk(seed: int, width: int, count: int) -> None:
    logits = torch.randn(3, width, generator=torch.Generator().manual_seed(seed))
    found = largest(logits, count)
    expected = logits.topk(count, dim=1)
    assert torch.equal(found.logits, expected.values)
    assert torch.equal(found.tokens, expected.indices)


def test_the_sum_is_that_of_logsumexp() -> None:
    logits = torch.randn(4, 3000) * 10
    assert log_of_sum(logits, logits.amax(dim=1, keepdim=True)) == pytest.approx(
        logits.logsumexp(dim=1), abs=1e-4
    )


def test_a_row_in_which_nothing_is_allowed_has_no_mass() -> None:
    logits = torch.full((1, 300), -torch.inf)
    assert log_of_sum(logits, logits[:, :1]).item() == -torch.inf


def test_the_sum_takes_over_what_is_known_better() -> None:
    logits = torch.randn(100, 3000, generator=torch.Generator().manual_seed(1)) * 5
    coarse = logits.bfloat16()
    best = coarse.float().topk(6, dim=1)
    exact = logits.gather(1, best.indices)
    rough = log_of_sum(coarse, best.values[:, :1])
    better = with_exact(rough, best.values, exact)
    true = logits.logsumexp(dim=1)
    assert (better - true).abs().mean() < (rough - true).abs().mean() / 3
