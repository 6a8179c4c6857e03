"""What the jobs know of the speech engine, wherever it computes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from voice_transcriber.engines.client import OnAnswer
from voice_transcriber.engines.gpu_policy import GpuStatus
from voice_transcriber.engines.protocol import ModelKey, Reply, Request


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
    def problem(self) -> str | None:
        """Why no engine child can do its work, in a sentence."""
        ...

    @property
    def warning(self) -> str | None:
        """What somebody should look at, in a sentence."""
        ...

    @property
    def models(self) -> list[ModelKey]:
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

    def submit(self, request: Request, on_answer: OnAnswer) -> int:
        """Send a request; its one answer goes to `on_answer`. Raises EngineCrashed when no engine
        can be started, as after stop().
        """
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

    def abandon(self, request_ids: Collection[int]) -> None:
        """As cancel; an engine child that works on one of them is replaced. The requests of others
        are answered with HostCrash and Blame.NONE: they may be sent again.
        """
        ...

    def supervise(self) -> None:
        """Replace an engine child that hangs or holds too much memory; to be called every few
        seconds.
        """
        ...

    def stop(self) -> None:
        """End the engine; pending requests are answered with HostCrash."""
        ...
