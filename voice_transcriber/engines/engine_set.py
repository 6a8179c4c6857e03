"""The host's own engine and those that jobs name, with what each computes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from voice_transcriber.engines.base import Engine, LoadsInSteps
from voice_transcriber.engines.compute import place_on
from voice_transcriber.engines.offered import check_installed
from voice_transcriber.engines.protocol import HostOptions, Place
from voice_transcriber.engines.registry import make_engine


class EngineSet:
    """Used by the engine's loop alone; None names the host's own engine."""

    def __init__(self, options: HostOptions, *, on_step: Callable[[], bool]) -> None:
        """`on_step` is what engines that load in steps are to call."""
        self._options = options
        self._on_step = on_step
        self._own = self._made(options)
        self._named: dict[str, Engine] = {}

    def engine(self, name: str | None) -> Engine:
        """Made when it is first asked for. Raises EngineNotOffered: its package is missing."""
        if name is None:
            return self._own
        if name not in self._named:
            check_installed(name)
            self._named[name] = self._made(self._options.with_engine(name))
        return self._named[name]

    def place_on(self, device: str, name: str | None) -> Place:
        return place_on(device, self._options.with_engine(name))

    def _made(self, options: HostOptions) -> Engine:
        engine = make_engine(
            options.engine,
            Path(options.model_dir) if options.model_dir else None,
            encoder=options.encoder,
            thread_counts=options.thread_counts,
        )
        if isinstance(engine, LoadsInSteps):
            engine.on_step(self._on_step)
        return engine
