"""How much of a GPU's memory is used, when the GPU is left for the CPU, and when it is used again.

Other programs may use the same GPU. Above a threshold of its memory, batches become smaller, then
the CPU computes; when there is room again, the GPU does. Pure, but for the memory it is given to
read and its clocks.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

log = logging.getLogger(__name__)

LOOK_S = 15.0  # between two looks at a GPU that was left
LONGEST_LOOK_S = 3600.0  # when it was left again soon after each return
SETTLED_S = 600.0  # a return that lasts so long was no mistake
RETURN_WINDOWS = 4  # room for so many makes a return worthwhile


class GpuState(StrEnum):
    GPU = "gpu"
    SMALL_BATCH = "gpu-small-batch"
    CPU = "cpu"


@dataclass(frozen=True, kw_only=True)
class DeviceMemory:
    """Free is what another tensor could take: what a library keeps unused is free as well."""

    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, kw_only=True)
class GpuStatus:
    """What is computed on, and why."""

    state: GpuState
    reason: str | None  # a sentence; None: nothing stands in the way of the GPU
    since: float  # Unix seconds

    def to_message(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Self:
        return cls(**{**message, "state": GpuState(message["state"])})


class GpuPolicy:
    """Used by the engine's loop alone."""

    def __init__(
        self,
        *,
        threshold: float,
        memory: Callable[[], DeviceMemory],
        status: GpuStatus,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """`threshold` is the part of the GPU's memory that may be used, by all programs."""
        self._threshold = threshold
        self._memory = memory
        self._clock = clock
        self._wall_clock = wall_clock
        self._is_left = False
        self._returned_at: float | None = None
        self._look_s = LOOK_S
        self._next_look_at = clock()
        self.status = status

    def free_bytes(self) -> int:
        """What may still be taken before the threshold is reached; not below zero."""
        memory = self._memory()
        kept_bytes = round((1 - self._threshold) * memory.total_bytes)
        return max(0, memory.free_bytes - kept_bytes)

    def shortage(self) -> str:
        """The memory in use, as a sentence."""
        memory = self._memory()
        used = 1 - memory.free_bytes / memory.total_bytes
        return (
            f"{used:.0%} of the GPU's memory is in use, "
            f"and {self._threshold:.0%} is the most that may be."
        )

    def note(self, state: GpuState, reason: str | None) -> None:
        """What is computed on from now on."""
        if (state, reason) == (self.status.state, self.status.reason):
            return
        if state is not self.status.state:
            log.warning("Computing on: %s. %s", state, reason or "")
            since = self._wall_clock()
        else:
            since = self.status.since
        self.status = GpuStatus(state=state, reason=reason, since=since)

    def left(self) -> None:
        """A model is on the CPU. The sooner after its return, the longer until the next."""
        if self._is_left:  # by another model: the next look is due already
            return
        self._is_left = True
        now = self._clock()
        if self._returned_at is not None:
            has_settled = now - self._returned_at > SETTLED_S
            self._look_s = LOOK_S if has_settled else min(2 * self._look_s, LONGEST_LOOK_S)
        self._next_look_at = now + self._look_s

    def returned(self) -> None:
        """A model may be loaded on the GPU again."""
        self._is_left = False
        self._returned_at = self._clock()

    def is_time_to_look(self) -> bool:
        """Whether to ask now if a model on the CPU has room on the GPU; then not for a while."""
        if self._clock() < self._next_look_at:
            return False
        self._next_look_at = self._clock() + self._look_s
        return True
