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
END_S = 30.0


class EngineProfile:
    """Profiles the engine's thread when it starts inside the `with`; read `top` after it."""

    def __init__(self) -> None:
        self._profile = cProfile.Profile()
        self._thread: threading.Thread | None = None

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
        if self._thread is not None:
            self._thread.join(END_S)  # its functions are counted when they are left

    def top(self, number: int) -> str:
        """The functions with the most time of their own."""
        text = io.StringIO()
        stats = pstats.Stats(self._profile, stream=text)
        stats.strip_dirs().sort_stats("tottime").print_stats(number)
        return text.getvalue().strip()

    def _on_thread(self, _frame: FrameType, _event: str, _argument: Any) -> None:
        """Called in each new thread at its first event."""
        sys.setprofile(None)
        thread = threading.current_thread()
        if thread.name == ENGINE_THREAD and self._thread is None:
            self._thread = thread
            self._profile.enable()
