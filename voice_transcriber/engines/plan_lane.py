"""Plans in a thread of their own: an urgent clip's plan does not wait for a batch to end."""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from voice_transcriber.engines.protocol import PlanRequest
from voice_transcriber.engines.work_board import PLANS, WorkBoard

log = logging.getLogger(__name__)


@dataclass(frozen=True, order=True)
class _Asked:
    priority: int
    id: int
    request: PlanRequest = field(compare=False)


class PlanLane:
    """Answers one request after the other, the most urgent first."""

    def __init__(self, board: WorkBoard, answer: Callable[[int, PlanRequest], None]) -> None:
        """`answer` is called in the lane's thread."""
        self._board = board
        self._answer = answer
        self._changed = threading.Condition()
        self._asked: list[_Asked] = []
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="engine-plans", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Take nothing more up; what is in work is finished."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def ask(self, request_id: int, request: PlanRequest) -> None:
        with self._changed:
            heapq.heappush(self._asked, _Asked(request.priority, request_id, request))
            self._changed.notify()

    def drop(self, ids: Collection[int]) -> None:
        with self._changed:
            self._asked = [one for one in self._asked if one.id not in ids]
            heapq.heapify(self._asked)

    def _run(self) -> None:
        try:
            while (one := self._next()) is not None:
                with self._board.work(PLANS, [one.id], alone=one.request.alone):
                    self._answer(one.id, one.request)
        except BrokenPipeError:
            log.debug("The app's process no longer listens.")

    def _next(self) -> _Asked | None:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._asked)
            return None if self._ended else heapq.heappop(self._asked)
