"""Memory of a process with its children, and of our engine child among them."""

from __future__ import annotations

import psutil

from bench.memory import PeakMemory

_ENGINE = "voice_transcriber.engines.child"


class TreeMemory(PeakMemory):
    """`peak_mb` counts all processes together, pages that they share more than once."""

    interval_s = 0.2  # a look at the tree costs a millisecond or two

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(process)
        self.engine_mb: float | None = None
        self._engines: set[psutil.Process] = set()

    def now_mb(self) -> float:
        total_mb = super().now_mb()
        for child in self._process.children(recursive=True):
            try:
                child_mb = child.memory_info().rss / 1e6
                if self._runs_engine(child):
                    self.engine_mb = max(self.engine_mb or 0.0, child_mb)
            except psutil.Error:  # it has ended
                continue
            total_mb += child_mb
        return total_mb

    def _runs_engine(self, child: psutil.Process) -> bool:
        """Asked again until it does: at first a child has its parent's command line."""
        if child not in self._engines and _ENGINE in child.cmdline():
            self._engines.add(child)
        return child in self._engines
