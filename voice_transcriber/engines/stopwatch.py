"""Wall time by stage of the work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


class Stopwatch:
    """Adds up seconds under names; those of a stage within a stage are told by the inner alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.stages_s: dict[str, float] = {}

    def add(self, stages_s: Mapping[str, float]) -> None:
        for name, seconds in stages_s.items():
            self.stages_s[name] = self.stages_s.get(name, 0.0) + seconds

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        running = _Running(self)
        outer = _innermost.get()
        token = _innermost.set(running)
        started = self._clock()
        try:
            yield
        finally:
            took_s = self._clock() - started
            _innermost.reset(token)
            self.add({name: took_s - running.inner_s})
            if outer is not None and outer.watch is self:
                outer.inner_s += took_s


@contextmanager
def inner_stage(name: str) -> Iterator[None]:
    """A stage of the watch of which a stage runs now in this thread; without one, of none."""
    running = _innermost.get()
    if running is None:
        yield
        return
    with running.watch.stage(name):
        yield


@dataclass
class _Running:
    watch: Stopwatch
    inner_s: float = 0.0  # of the stages within it


_innermost: ContextVar[_Running | None] = ContextVar("innermost stage", default=None)
