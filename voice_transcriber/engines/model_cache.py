"""The models in memory: at most two, the least recently used goes first."""

from __future__ import annotations

import gc
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voice_transcriber.engines.base import Engine, Model


@dataclass
class _Loaded:
    model: Model
    used_at: float  # monotonic


class ModelCache:
    """Loads on demand. Used by the engine's loop alone: no model is in use while one is evicted."""

    def __init__(
        self,
        engine: Engine,
        *,
        size: int,
        device: str,
        compute_type: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._size = size
        self._device = device
        self._compute_type = compute_type
        self._clock = clock
        self._models: OrderedDict[str, _Loaded] = OrderedDict()

    @property
    def names(self) -> list[str]:
        """Loaded models, least recently used first."""
        return list(self._models)

    def __contains__(self, name: str) -> bool:
        return name in self._models

    def get(self, name: str, checkpoint: Path) -> Model:
        """Raises ModelDamaged, EngineOutOfMemory."""
        if name not in self._models:
            # Room is made first: two sizes side by side are what memory is planned for.
            self._shrink_to(self._size - 1)
            model = self._engine.load(
                checkpoint, size=name, device=self._device, compute_type=self._compute_type
            )
            self._models[name] = _Loaded(model, self._clock())
        loaded = self._models[name]
        loaded.used_at = self._clock()
        self._models.move_to_end(name)
        return loaded.model

    def drop_idle(self, *, idle_s: float) -> list[str]:
        """Let go of models that nobody has used for so long; returns their names."""
        limit = self._clock() - idle_s
        idle = [name for name, loaded in self._models.items() if loaded.used_at <= limit]
        for name in idle:
            del self._models[name]
        if idle:
            gc.collect()
        return idle

    def _shrink_to(self, count: int) -> None:
        evicted = False
        while len(self._models) > count:
            self._models.popitem(last=False)
            evicted = True
        if evicted:
            gc.collect()
