"""The engine's heartbeat: a thread of its own tells the app every few seconds that it lives.

It beats while the other threads compute, so a batch that is slow is not taken for one that
hangs. With each beat goes how many steps were computed: a batch that takes an hour shows by
them that it comes along.
"""

from __future__ import annotations

import logging
import threading

from voice_transcriber.processes.channel import Channel

BEAT = "beat"
BEAT_S = 2.0

log = logging.getLogger(__name__)


class Pulse:
    """Beats from `start` on until the channel ends."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._steps = 0
        self._over = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._beat, name="engine-pulse", daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    def step(self) -> None:
        """Something was computed. Any thread may call it: it matters that the count changes."""
        self._steps += 1

    def _beat(self) -> None:
        try:
            while not self._over.is_set():
                self._channel.send({"event": BEAT, "steps": self._steps})
                self._over.wait(BEAT_S)
        except OSError:
            log.debug("The app's process no longer listens.")
