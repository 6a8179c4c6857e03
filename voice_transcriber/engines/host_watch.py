"""What the app knows of one host: what it works on, when it spoke last, and who is to blame.

Whoever owns the object guards it by a lock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum

from voice_transcriber.engines.pulse import BEAT
from voice_transcriber.engines.work_board import PLANS
from voice_transcriber.errors import EngineCrashed, EngineError, EngineStalled
from voice_transcriber.processes.channel import Message


class Blame(Enum):
    """What a request had to do with the death of the host."""

    NONE = "none"  # it was waiting, or the host was replaced for reasons of its own
    BATCH = "batch"  # it was in work together with others
    ALONE = "alone"  # it alone was in work
    HOST = "host"  # the host died while it started or loaded the request's model


@dataclass(frozen=True, kw_only=True)
class Death:
    """How a host ended."""

    cause: str  # in words
    kind: type[EngineError] = EngineCrashed
    spares_all: bool = False  # whatever was in work has nothing to do with it


@dataclass(frozen=True, kw_only=True)
class WatchLimits:
    """When a host is taken for dead."""

    no_progress_s: float = 900.0  # of a host that owes answers
    stopped_s: float = 10.0  # without a beat, of a process that was sent SIGSTOP
    silent_s: float = 120.0  # without a beat, once it has started and loads nothing


@dataclass
class _AtWork:
    """What one of the host's threads works on."""

    ids: set[int]  # not answered yet
    size: int  # answered ones included
    heard_at: float  # when its thread said something last


class HostWatch:
    """From the start of a host to its death."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.has_spoken = False  # beats say only that it lives
        self.loading: str | None = None
        self.is_leaving = False  # it was asked to end after what is in work
        self.verdict: Death | None = None  # why the app ended it
        self._clock = clock
        self._at_work: dict[str, _AtWork] = {}  # by lane
        self._steps = 0
        self._beat_at = self._progress_at = clock()

    @property
    def is_at_work(self) -> bool:
        """Whether the host has taken up something that it has not answered."""
        return any(work.ids for work in self._at_work.values())

    def works_on(self, ids: Collection[int]) -> bool:
        """Whether one of these is in work."""
        return any(not work.ids.isdisjoint(ids) for work in self._at_work.values())

    def owes(self) -> None:
        """An idle host was sent a request: its time counts from here."""
        self._progress_at = self._clock()

    def hear(self, message: Message) -> None:
        """Plans have a thread of their own; all else that is said comes from the other one. What a
        host owes it also pays in steps, which it counts in its beats.
        """
        self._beat_at = self._clock()
        if message.get("event") != BEAT:
            self.has_spoken = True
            self._progress(of_plans=self._is_of_plans(message))
        elif message["steps"] != self._steps:
            self._steps = message["steps"]
            self._progress(of_plans=False)

    def begin(self, lane: str, ids: Collection[int]) -> None:
        self._at_work[lane] = _AtWork(set(ids), len(ids), self._clock())

    def answered(self, request_id: int) -> None:
        for work in self._at_work.values():
            work.ids.discard(request_id)

    def fault(self, limits: WatchLimits, *, is_stopped: bool, owes: bool) -> Death | None:
        """Why the host is to be ended now. `is_stopped`: by SIGSTOP; `owes`: answers."""
        now = self._clock()
        silent_s = now - self._beat_at
        if is_stopped and silent_s >= limits.stopped_s:
            return _stalled(f"stopped from outside for {silent_s:.0f} s", spares_all=True)
        busy = [work.heard_at for work in self._at_work.values() if work.ids]
        stuck_s = now - min([self._progress_at, *busy])
        if (owes or self.is_leaving) and stuck_s >= limits.no_progress_s:
            return _stalled(f"no progress for {stuck_s:.0f} s", spares_all=False)
        # What a host imports or loads can keep its threads from beating.
        if self.has_spoken and not self.loading and silent_s >= limits.silent_s:
            return _stalled(f"no sign of life for {silent_s:.0f} s", spares_all=False)
        return None

    def blame(self, request_id: int, death: Death) -> Blame:
        if death.spares_all:
            return Blame.NONE
        if not self.has_spoken:
            return Blame.HOST
        lane = next((one for one, work in self._at_work.items() if request_id in work.ids), None)
        if lane is None:
            return Blame.NONE
        beside = any(work.ids for one, work in self._at_work.items() if one != lane)
        plans = self._at_work.get(PLANS)
        if self.loading and not (plans and plans.ids):
            return Blame.HOST
        return Blame.ALONE if self._at_work[lane].size == 1 and not beside else Blame.BATCH

    def _is_of_plans(self, message: Message) -> bool:
        plans = self._at_work.get(PLANS)
        return message.get("lane") == PLANS or (
            plans is not None and message.get("id") in plans.ids
        )

    def _progress(self, *, of_plans: bool) -> None:
        self._progress_at = self._clock()
        for lane, work in self._at_work.items():
            if (lane == PLANS) == of_plans:
                work.heard_at = self._progress_at


def _stalled(cause: str, *, spares_all: bool) -> Death:
    return Death(cause=cause, kind=EngineStalled, spares_all=spares_all)
