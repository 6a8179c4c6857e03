"""How many windows are decoded together: what memory and measured speed allow. Pure.

The engine's loop tells what happened to each batch and asks for the next one's size. Clips and
long windows are kept apart, because what a larger batch gains differs between them.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from voice_transcriber.job import SAMPLE_RATE

log = logging.getLogger(__name__)

AUTO_FIRST = 8
AUTO_MOST_ON_GPU = 64  # on a CPU a larger batch than the first takes memory for a few percent

CLIP_SAMPLES = 10 * SAMPLE_RATE
GROW_AFTER = 16  # full batches without a fault, before a larger one is tried
LONGEST_GROW_AFTER = 256
MEASURED_BATCHES = 4  # of a size, before it is compared with the size below
WORTHWHILE = 1.05  # times as fast as with half of the windows


def first_batch_size(setting: int | Literal["auto"]) -> int:
    """Of BATCH_SIZE: windows together before anything is measured; the most, but on a GPU."""
    return AUTO_FIRST if setting == "auto" else setting


@dataclass
class _Size:
    """Of one model and one kind of windows."""

    now: int
    most: int
    good: int = 0  # full batches since the last change
    starved: bool = False  # smaller than it was, for want of memory
    grow_after: int = MEASURED_BATCHES
    fastest: dict[int, list[float]] = field(default_factory=dict)  # windows per second, by size

    def note(self, windows_per_s: float) -> None:
        self.good += 1
        speeds = self.fastest.setdefault(self.now, [])
        speeds.append(windows_per_s)
        # Other programs make a batch slower, never faster: the fastest tell what it costs.
        del speeds[:-MEASURED_BATCHES]

    def gain(self) -> float | None:
        """How many times as fast as half of the windows; None while that is not measured."""
        here, below = self.fastest.get(self.now, []), self.fastest.get(self.now // 2, [])
        if len(here) < MEASURED_BATCHES or len(below) < MEASURED_BATCHES:
            return None
        return max(here) / max(below)

    def shrink(self, size: int) -> None:
        self.now, self.good = size, 0


class BatchSizes:
    """The sizes of all models, by keys whose text the log shows; for the engine's loop alone."""

    def __init__(self, *, first: int, most: int) -> None:
        self._first = first
        self._most = most
        self._sizes: dict[tuple[Hashable, bool], _Size] = {}
        self._room: dict[Hashable, int] = {}

    def size(self, model: Hashable, speech: int) -> int:
        """Windows in the next batch whose first window has so many samples of speech."""
        return min(self._of(model, speech).now, self._room.get(model, self._most))

    @property
    def largest(self) -> int:
        """Of all sizes now: jobs keep enough windows waiting for it."""
        return max((size.now for size in self._sizes.values()), default=self._first)

    def set_room(self, model: Hashable, windows: int) -> None:
        """For so many windows there is memory beside the model's weights; one is always tried."""
        windows = max(1, windows)
        before = min(self._room.get(model, self._most), self._most)
        self._room[model] = windows
        after = min(windows, self._most)
        if after != before:
            log.info(
                "%s: at most %d windows together (%d before), as far as memory has room.",
                model,
                after,
                before,
            )

    def limited_to(self, model: Hashable) -> int | None:
        """Windows together, where memory does not suffice for the first size; else None."""
        sizes = [size.now for size in self._all_of(model) if size.starved]
        windows = min([self._room.get(model, self._most), *sizes])
        return windows if windows < min(self._first, self._most) else None

    def ran(self, model: Hashable, *, speech: int, windows: int, took_s: float) -> None:
        """A batch was decoded whose first window had so many samples of speech."""
        size = self._of(model, speech)
        if windows < size.now or took_s <= 0:  # tells nothing about full batches
            return
        size.note(windows / took_s)
        gain = size.gain()
        if gain is not None and gain < WORTHWHILE:
            log.info(
                "%s: %d windows together are %.2f times as fast as %d: no larger batches.",
                model,
                size.now,
                gain,
                size.now // 2,
            )
            size.most = size.now // 2
            size.shrink(size.most)
        elif size.good >= size.grow_after and size.now < size.most:
            self._grow(model, size)

    def ran_out(self, model: Hashable, *, windows: int) -> int:
        """Memory did not suffice for more than one window; returns how many to try."""
        half = max(1, windows // 2)
        for size in self._all_of(model):
            if size.now > half:
                size.shrink(half)
                size.starved = True
            size.grow_after = min(max(GROW_AFTER, 2 * size.grow_after), LONGEST_GROW_AFTER)
        log.warning(
            "%s: memory did not suffice for %d windows together; %d are tried.",
            model,
            windows,
            half,
        )
        return half

    def forget(self, model: Hashable) -> None:
        """The model computes elsewhere from now on: nothing that was learnt holds there."""
        self._room.pop(model, None)
        for is_clip in (True, False):
            self._sizes.pop((model, is_clip), None)

    def _grow(self, model: Hashable, size: _Size) -> None:
        larger = min(2 * size.now, size.most)
        log.info(
            "%s: %d windows together from now on, after %d full batches of %d.",
            model,
            larger,
            size.good,
            size.now,
        )
        size.now, size.good = larger, 0
        size.starved = size.starved and larger < self._first

    def _of(self, model: Hashable, speech: int) -> _Size:
        key = (model, speech <= CLIP_SAMPLES)
        if key not in self._sizes:
            self._sizes[key] = _Size(now=min(self._first, self._most), most=self._most)
        return self._sizes[key]

    def _all_of(self, model: Hashable) -> Iterator[_Size]:
        return (size for (name, _), size in self._sizes.items() if name == model)
