"""What the engine's threads work on now, told to the app before each piece of work.

The app lays a crash at the door of what was in work. A request that is suspected of one is
worked on alone: no other thread works beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from voice_transcriber.processes.channel import Channel

WINDOWS = "windows"  # and all else that a model computes
PLANS = "plans"
URGENT = "urgent"  # windows that pass in the middle of a batch


class WorkBoard:
    """One lane for each thread that computes."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._changed = threading.Condition()
        self._at_work: dict[str, bool] = {}  # lanes, and whether their work is to be alone
        self._waiting_alone = 0

    @contextmanager
    def work(self, lane: str, ids: Sequence[int], *, alone: bool = False) -> Iterator[None]:
        """Wait until the work may begin, and tell which requests it is for.

        Raises BrokenPipeError when the app is gone.
        """
        self._enter(lane, alone=alone)
        try:
            self.tell(lane, ids)
            yield
        finally:
            self._leave(lane)

    def tell(self, lane: str, ids: Sequence[int]) -> None:
        """What is begun within other work, which need not wait for anything."""
        self._channel.send({"event": "batch", "lane": lane, "ids": list(ids)})

    def _enter(self, lane: str, *, alone: bool) -> None:
        with self._changed:
            if alone:
                self._waiting_alone += 1
                self._changed.wait_for(lambda: not self._at_work)
                self._waiting_alone -= 1
            else:
                self._changed.wait_for(self._is_open)
            self._at_work[lane] = alone

    def _is_open(self) -> bool:
        return not self._waiting_alone and not any(self._at_work.values())

    def _leave(self, lane: str) -> None:
        with self._changed:
            del self._at_work[lane]
            self._changed.notify_all()
