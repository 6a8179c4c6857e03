"""What no beam of a window sees any more is left out of what the decoder reads."""

from __future__ import annotations

import torch

from voice_transcriber.engines.torch_decoder.decoding import still_seen
from voice_transcriber.engines.torch_decoder.memory import TextMemory

UNSEEN = -torch.inf


def test_what_some_beam_sees_stays_in_its_order() -> None:
    mask = torch.tensor([[[0.0, UNSEEN, UNSEEN, 0.0], [0.0, UNSEEN, 0.0, UNSEEN]]])
    assert still_seen(mask).tolist() == [[0, 2, 3]]


def test_a_window_that_sees_less_is_filled_up_with_what_it_does_not_see() -> None:
    mask = torch.full((2, 1, 4), UNSEEN)
    mask[0, 0, 1:] = 0
    mask[1, 0, 3] = 0
    kept = still_seen(mask)
    assert kept[0].tolist() == [1, 2, 3]
    assert mask.gather(2, kept[:, None])[1, 0].tolist() == [0, UNSEEN, UNSEEN]


def test_the_next_entry_follows_those_that_stayed() -> None:
    memory = TextMemory(layers=1, windows=2, heads=2, width=1, room=5, like=torch.zeros(1))
    first = torch.arange(16.0).view(2, 2, 4, 1)
    memory.append(0, first, -first)
    memory.keep(torch.tensor([[0, 3], [1, 2]]))
    new = torch.full((2, 2, 1, 1), 99.0)
    keys, values = memory.append(0, new, -new)
    assert keys.flatten(2).tolist() == [[[0, 3, 99], [4, 7, 99]], [[9, 10, 99], [13, 14, 99]]]
    assert values.equal(-keys)
