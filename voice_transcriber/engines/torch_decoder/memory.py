"""What attention looks back on: the audio of each window, and the text written so far.

Windows lie in the first places of every tensor. One that is finished gives its place to the last,
so that what is left is one block without gaps.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# Each (windows, heads, entries, width).
KeysValues = tuple[Tensor, Tensor]

_FIRST_STEPS = 64  # room for the text of most windows


class AudioMemory:
    """Keys and values of the encoder's output, for each layer; the beams of a window share them."""

    def __init__(self, layers: Sequence[KeysValues], log_counts: Tensor | None) -> None:
        """`log_counts`: (windows, frames), see torch_decoder.thinning; None: each counts once."""
        self._layers = layers
        self._log_counts = log_counts

    def log_counts(self, windows: int) -> Tensor | None:
        """(windows, 1, 1, frames), to be added to the scores."""
        return None if self._log_counts is None else self._log_counts[:windows, None, None]

    def layer(self, index: int, windows: int) -> KeysValues:
        keys, values = self._layers[index]
        return keys[:windows], values[:windows]

    def move(self, source: int, target: int) -> None:
        for layer in self._layers:
            _move(layer, source, target)
        if self._log_counts is not None:
            self._log_counts[target] = self._log_counts[source]


class TextMemory:
    """Keys and values of all that the beams of a window wrote.

    The beams share it: a mask tells which entries are a beam's own past, so that nothing is
    copied when beams are exchanged. From time to time what is no beam's past any more is left
    out: of all that five beams wrote, one text stays, and the last few tokens of the others.
    """

    def __init__(
        self, *, layers: int, windows: int, heads: int, width: int, room: int, like: Tensor
    ) -> None:
        self._layers: list[KeysValues] = [
            (
                like.new_empty(windows, heads, room, width),
                like.new_empty(windows, heads, room, width),
            )
            for _ in range(layers)
        ]
        self._length = 0  # entries of every layer but those that this step has passed

    def append(self, index: int, keys: Tensor, values: Tensor) -> KeysValues:
        """All entries of a layer, with these as the last; (windows, heads, new, width)."""
        windows, _, new, _ = keys.shape
        end = self._length + new
        if end > self._layers[index][0].shape[2]:
            self._layers[index] = _grown(self._layers[index], end)
        kept_keys, kept_values = self._layers[index]
        kept_keys[:windows, :, self._length : end] = keys
        kept_values[:windows, :, self._length : end] = values
        if index == len(self._layers) - 1:
            self._length = end
        return kept_keys[:windows, :, :end], kept_values[:windows, :, :end]

    def keep(self, places: Tensor) -> None:
        """These entries of each window, in this order; places: (windows, kept)."""
        windows, kept = places.shape
        for layer in self._layers:
            for tensor in layer:
                _, heads, room, width = tensor.shape
                first = torch.arange(windows * heads, device=tensor.device).view(windows, heads, 1)
                rows = (first * room + places[:, None]).flatten()
                # Whole rows: gather() would copy number by number.
                chosen = tensor.view(-1, width).index_select(0, rows)
                tensor[:windows, :, :kept] = chosen.view(windows, heads, kept, width)
        self._length = kept

    def move(self, source: int, target: int) -> None:
        for layer in self._layers:
            _move(layer, source, target)


def room_for(*, prefix: int, beams: int) -> int:
    """Entries that most windows need."""
    return prefix + beams * _FIRST_STEPS


def _move(layer: KeysValues, source: int, target: int) -> None:
    for tensor in layer:
        tensor[target] = tensor[source]


def _grown(layer: KeysValues, needed: int) -> KeysValues:
    keys, values = (
        torch.cat([one, one.new_empty(*one.shape[:2], needed, one.shape[3])], dim=2)
        for one in layer
    )
    return keys, values
