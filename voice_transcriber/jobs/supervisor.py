"""Looks every few seconds whether the parts that work in the background are alive.

What has died is replaced where it can be; else health tells it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from voice_transcriber.engines.speech import SpeechEngine
from voice_transcriber.jobs.prober import Prober
from voice_transcriber.jobs.worker import Workers
from voice_transcriber.store.base import Store

log = logging.getLogger(__name__)

INTERVAL_S = 5.0
LATE_S = 20.0  # without a round or a write, until somebody should look
PING_S = 2.0


class Supervisor:
    """Somebody calls `look` every INTERVAL_S; any thread may ask for problems."""

    def __init__(
        self,
        *,
        engine: SpeechEngine,
        workers: Workers,
        prober: Prober,
        store: Store,
        then: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`then` is what is to be done as often as this."""
        self._workers = workers
        self._store = store
        self._steps = (engine.supervise, workers.supervise, prober.supervise, self._ping, then)
        self._clock = clock
        self._looked_at: float | None = None
        self._stored_at = 0.0

    def start(self) -> None:
        """From now on a look that fails to come is a problem."""
        self._looked_at = self._stored_at = self._clock()

    def look(self) -> None:
        """One fault must not keep the other parts from being looked at."""
        for step in self._steps:
            try:
                step()
            except Exception:
                log.exception("A part could not be looked at.")
        self._looked_at = self._clock()

    @property
    def problems(self) -> Sequence[str]:
        """What keeps the server from its work, in sentences."""
        if self._looked_at is None:
            return ()
        now, found = self._clock(), []
        if (late_s := now - self._looked_at) > LATE_S:
            found.append(f"Nobody has looked after the server's parts for {late_s:.0f} seconds.")
        if (late_s := now - self._stored_at) > LATE_S:
            found.append(f"The database has taken up nothing for {late_s:.0f} seconds.")
        if dead := self._workers.dead:
            found.append(f"{dead} worker threads have died and could not be replaced.")
        return found

    def _ping(self) -> None:
        if self._store.answers(timeout_s=PING_S):
            self._stored_at = self._clock()
