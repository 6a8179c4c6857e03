"""Where the engine spends its time: cProfile on the engine's thread (ENGINE_ISOLATION=thread)."""

from __future__ import annotations

import cProfile
import io
import pstats
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Self

ENGINE_THREAD = "engine"  # as engines.child names it


class _RunningProfile(cProfile.Profile):
    """Can be read while the thread that it follows goes on."""

    def create_stats(self) -> None:
        self.snapshot_stats()


class EngineProfile:
    """Profiles the engine's thread, which must start inside the `with`.

    cProfile follows one thread up to Python 3.11. Since 3.12 it follows all: the waiting of the
    other threads is in the figures then.
    """

    def __init__(self) -> None:
        self._profile = _RunningProfile()

    def __enter__(self) -> Self:
        threading.setprofile(self._on_thread)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        threading.setprofile(None)

    def clear(self) -> None:
        """Forget what was counted so far: imports, the loading of a model, other models."""
        self._profile.clear()

    def top(self, number: int) -> str:
        """The functions with the most time of their own."""
        text = io.StringIO()
        stats = pstats.Stats(self._profile, stream=text)
        stats.strip_dirs().sort_stats("tottime").print_stats(number)
        return text.getvalue().strip()

    def _on_thread(self, _frame: FrameType, _event: str, _argument: Any) -> None:
        """Called in each new thread at its first event."""
        sys.setprofile(None)
        if threading.current_thread().name == ENGINE_THREAD:
            self._profile.enable()
