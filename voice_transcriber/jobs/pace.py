"""How long the rest of a recording will take, from what was measured."""

from __future__ import annotations

import time
from collections.abc import Callable

ENOUGH_AUDIO_S = 60.0  # of this job, until its own pace is told where no other is known
TYPICAL_WEIGHT_S = 120.0  # audio that the typical factor counts for beside this job's own


class Pace:
    """The pace of one attempt. It begins with the first call, when the engine is ready.

    Earlier jobs' factor fades out as audio of this job is done, so that the
    estimate moves slowly from the one to the other and never jumps between them.
    """

    def __init__(
        self, typical_factor: float | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`typical_factor`: wall seconds for a second of audio; None when it is not known."""
        self._typical_factor = typical_factor
        self._clock = clock
        self._begun_at: float | None = None
        self._done_before_s = 0.0

    def remaining_s(self, *, done_s: float, total_s: float) -> float | None:
        """Wall seconds until all is done, from the audio done and in all; None: not known yet."""
        now = self._clock()
        if self._begun_at is None:
            self._begun_at, self._done_before_s = now, done_s
        factor = self._factor(done_s - self._done_before_s, now - self._begun_at)
        if factor is None or not total_s:
            return None
        return factor * max(0.0, total_s - done_s)

    def _factor(self, done_s: float, wall_s: float) -> float | None:
        if self._typical_factor is not None:
            typical_wall_s = TYPICAL_WEIGHT_S * self._typical_factor
            return (wall_s + typical_wall_s) / (done_s + TYPICAL_WEIGHT_S)
        return wall_s / done_s if done_s >= ENOUGH_AUDIO_S else None
