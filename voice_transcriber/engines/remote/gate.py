"""A few seats for many requests: urgent ones first, and files take turns."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """Used inside one event loop."""

    def __init__(self, seats: int) -> None:
        self._free = seats
        self._numbers = itertools.count()
        self._queue: list[tuple[int, int, int, asyncio.Future[None]]] = []
        self._turns: Counter[str] = Counter()  # of each file: its requests inside and waiting

    @asynccontextmanager
    async def seat(self, *, priority: int, file: str) -> AsyncIterator[None]:
        """Wait for a seat. Among equal priorities the first request of each file goes first."""
        turn = self._turns[file]
        self._turns[file] += 1
        try:
            await self._take(priority, turn)
            try:
                yield
            finally:
                self._give()
        finally:
            self._turns[file] -= 1
            if not self._turns[file]:
                del self._turns[file]

    async def _take(self, priority: int, turn: int) -> None:
        if self._free:
            self._free -= 1
            return
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (priority, turn, next(self._numbers), ticket))
        try:
            await ticket
        except asyncio.CancelledError:
            if ticket.done() and not ticket.cancelled():  # the seat came in the same moment
                self._give()
            raise

    def _give(self) -> None:
        while self._queue:
            ticket = heapq.heappop(self._queue)[-1]
            if not ticket.done():
                ticket.set_result(None)
                return
        self._free += 1
