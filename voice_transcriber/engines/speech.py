"""What the jobs know of the speech engine, wherever it computes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from voice_transcriber.engines.client import OnAnswer
from voice_transcriber.engines.gpu_policy import GpuStatus
from voice_transcriber.engines.protocol import Place, Reply, Request


class SpeechEngine(Protocol):
    """One engine for all jobs. Its methods may be called from any thread."""

    @property
    def pid(self) -> int | None:
        """Process id of the engine child, where there is one."""
        ...

    @property
    def is_running(self) -> bool: ...

    @property
    def is_ready(self) -> bool:
        """False while the engine still starts."""
        ...

    @property
    def starts(self) -> int:
        """How often an engine child was started."""
        ...

    @property
    def models(self) -> list[str]:
        """In this machine's memory now."""
        ...

    @property
    def loading(self) -> str | None:
        """The model that is being loaded now."""
        ...

    @property
    def gpu_free_bytes(self) -> int | None:
        """None: no GPU is used, or not known yet."""
        ...

    @property
    def gpu(self) -> GpuStatus | None:
        """What is computed on and why; None while no engine has said so."""
        ...

    @property
    def batch_size(self) -> int:
        """Windows that are decoded together; 0 while no engine has said so."""
        ...

    def place(self, model: str) -> Place | None:
        """Where a model computes, or did when it was last used; None if it never was."""
        ...

    def submit(self, request: Request, on_answer: OnAnswer) -> int:
        """Send a request; its one answer goes to `on_answer`. Raises EngineCrashed after stop()."""
        ...

    def call(self, request: Request) -> Reply:
        """Submit and wait. Raises the reply's error, or EngineCrashed."""
        ...

    def cancel(self, request_ids: Collection[int]) -> None:
        """Forget requests; their callbacks are not called any more."""
        ...

    def unload_idle(self, *, idle_s: float) -> None:
        """Let go of models that nobody has used for so long."""
        ...

    def kill_if_silent(self, *, limit_s: float) -> bool:
        """Replace an engine that owes answers and has said nothing for so long."""
        ...

    def stop(self) -> None:
        """End the engine; pending requests are answered with HostCrash."""
        ...
