"""The models in memory: at most two, the least recently used goes first."""

from __future__ import annotations

import gc
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from voice_transcriber.engines.base import Assembled, Engine, Model
from voice_transcriber.engines.protocol import ON_CPU, ON_GPU, ModelKey, Place, on_cpu_because
from voice_transcriber.errors import EngineOutOfMemory, GpuFailed, ModelTooLarge, TranscriberError
from voice_transcriber.files import file_stamp

log = logging.getLogger(__name__)

GPU_FAULTS = (GpuFailed, EngineOutOfMemory, ModelTooLarge)  # none of them stops the CPU


@dataclass
class _Loaded:
    model: Model
    checkpoint: Path
    stamp: str | None  # of the file that it was loaded from
    place: Place
    used_at: float  # monotonic


class Engines(Protocol):
    """By the name in a model's key."""

    def engine(self, name: str | None) -> Engine:
        """Raises EngineNotOffered."""
        ...

    def place_on(self, device: str, name: str | None) -> Place:
        """What the engine computes with on a device."""
        ...


@dataclass(frozen=True, kw_only=True)
class Room:
    """How much memory a device has, and how much a checkpoint takes of a place."""

    free_bytes: Callable[[str], int]
    needed_bytes: Callable[[Path, Place], int]  # other models make room for so much
    least_bytes: Callable[[Path, Place], int]  # with less it is refused


class ModelCache:
    """Loads on demand, and on the CPU what the GPU cannot take.

    Used by the engine's loop alone: no model is in use while one is evicted.
    """

    def __init__(
        self,
        engines: Engines,
        *,
        size: int,
        place: Place,
        room: Room,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`place` has the device for all models, and a note when it is not the one wanted."""
        self._engines = engines
        self._size = size
        self._place = place
        self._room = room
        self._clock = clock
        self._models: OrderedDict[ModelKey, _Loaded] = OrderedDict()

    @property
    def keys(self) -> list[ModelKey]:
        """Loaded models, least recently used first."""
        return list(self._models)

    @property
    def device(self) -> str:
        """Where the next model is loaded: a GPU that failed is not tried again."""
        return self._place.device

    @property
    def places(self) -> Mapping[ModelKey, Place]:
        """Where each loaded model computes."""
        return {key: loaded.place for key, loaded in self._models.items()}

    def __contains__(self, key: ModelKey) -> bool:
        return key in self._models

    def get(self, key: ModelKey, checkpoint: Path) -> Model:
        """Raises ModelTooLarge, ModelDamaged, EngineOutOfMemory, EngineNotOffered."""
        if key not in self._models:
            # Room is made first: two sizes side by side are what memory is planned for.
            self._shrink_to(self._size - 1)
            self._models[key] = self._loaded(key, checkpoint)
        loaded = self._models[key]
        loaded.used_at = self._clock()
        self._models.move_to_end(key)
        return loaded.model

    def drop_replaced(self, key: ModelKey, checkpoint: Path) -> None:
        """Let go of a model whose file is another one by now; one that was deleted stays."""
        loaded = self._models.get(key)
        stamp = _stamp(checkpoint)
        if loaded is None or stamp is None or loaded.stamp == stamp:
            return
        log.info("The file of the model %s was replaced: it is loaded again.", key)
        del loaded, self._models[key]
        gc.collect()

    def move_to_cpu(self, key: ModelKey, checkpoint: Path, fault: TranscriberError) -> Model:
        """Load a model again, on the CPU, after the GPU failed while it worked.

        Raises `fault` when it is not on the GPU, and what `get` raises.
        """
        loaded = self._models.get(key)
        if loaded is None or loaded.place.device == ON_CPU.device:
            raise fault
        del loaded  # or the GPU keeps it while the CPU takes it
        del self._models[key]
        gc.collect()
        self._models[key] = self._loaded_on(self._instead_of_gpu(fault), key, checkpoint)
        return self._models[key].model

    def return_to_gpu(self, has_room: Callable[[ModelKey, Path], bool]) -> list[ModelKey]:
        """Let go of models that are on the CPU for want of memory, where the GPU has room now.

        Their next use loads them on the GPU. Returns their keys.
        """
        if self._place.device == ON_CPU.device:
            return []
        keys = [
            key
            for key, loaded in self._models.items()
            if loaded.place.device == ON_CPU.device and has_room(key, loaded.checkpoint)
        ]
        for key in keys:
            log.info("The GPU has room for the model %s again.", key)
            del self._models[key]
        if keys:
            gc.collect()
        return keys

    def drop_idle(self, *, idle_s: float) -> list[ModelKey]:
        """Let go of models that nobody has used for so long; returns their keys."""
        limit = self._clock() - idle_s
        idle = [key for key, loaded in self._models.items() if loaded.used_at <= limit]
        for key in idle:
            del self._models[key]
        if idle:
            gc.collect()
        return idle

    def _loaded(self, key: ModelKey, checkpoint: Path) -> _Loaded:
        try:
            return self._loaded_on(self._place, key, checkpoint)
        except GPU_FAULTS as error:
            if self._place.device == ON_CPU.device:
                raise
            # Without its frames, which hold what was loaded until then.
            fault = type(error)(error.message)
        return self._loaded_on(self._instead_of_gpu(fault), key, checkpoint)

    def _loaded_on(self, wanted: Place, key: ModelKey, checkpoint: Path) -> _Loaded:
        engine = self._engines.engine(key.engine)
        place = replace(self._engines.place_on(wanted.device, key.engine), note=wanted.note)
        self._make_room(key, checkpoint, place)
        stamp = _stamp(checkpoint)
        model = engine.load(
            checkpoint, size=key.model, device=place.device, compute_type=place.compute_type
        )
        return _Loaded(model, checkpoint, stamp, _completed(place, model), self._clock())

    def _instead_of_gpu(self, fault: TranscriberError) -> Place:
        """A GPU that lacks memory may have it later; one that fails is given up, with all models
        that it has: they would fail as well.
        """
        log.warning("The CPU is used in place of the GPU: %s", fault.message)
        place = on_cpu_because(fault.message)
        if isinstance(fault, GpuFailed):
            self._place = place
            while self._evict_from(ON_GPU.device):
                pass
        return place

    def _make_room(self, key: ModelKey, checkpoint: Path, place: Place) -> None:
        """Let go of other models there until this one fits, with full batches if that can be."""
        needed_bytes = self._room.needed_bytes(checkpoint, place)
        while needed_bytes > self._room.free_bytes(place.device) and self._evict_from(place.device):
            pass
        least_bytes, free_bytes = (
            self._room.least_bytes(checkpoint, place),
            self._room.free_bytes(place.device),
        )
        if least_bytes > free_bytes:
            raise ModelTooLarge(
                f"The model {key.model} needs about {least_bytes / 1e9:.1f} GB of memory; "
                f"{free_bytes / 1e9:.1f} GB are free."
            )

    def _evict_from(self, device: str) -> bool:
        """The least recently used model of this device; False: it has none."""
        there = (key for key, loaded in self._models.items() if loaded.place.device == device)
        if (oldest := next(there, None)) is None:
            return False
        del self._models[oldest]
        gc.collect()
        return True

    def _shrink_to(self, count: int) -> None:
        evicted = False
        while len(self._models) > count:
            self._models.popitem(last=False)
            evicted = True
        if evicted:
            gc.collect()


def _completed(place: Place, model: Model) -> Place:
    """With what is known only of a model that is loaded."""
    if not isinstance(model, Assembled):
        return place
    return replace(
        place, compute_type=model.compute_type, engine=model.engine, encoder=model.encoder
    )


def _stamp(checkpoint: Path) -> str | None:
    try:
        return file_stamp(checkpoint)
    except OSError:
        return None
