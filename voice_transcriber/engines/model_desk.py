"""Everything that is computed with a model goes over this desk.

It loads models, runs batches in sizes that memory allows, leaves a GPU that fails or is full for
the CPU and comes back to it, and tells the app what is where.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from voice_transcriber.engines.base import Model, Pausable
from voice_transcriber.engines.batch_sizes import BatchSizes
from voice_transcriber.engines.device import give_back_memory, gpu_memory
from voice_transcriber.engines.engine_set import EngineSet
from voice_transcriber.engines.footprint import needed_bytes, window_bytes
from voice_transcriber.engines.gpu_policy import (
    RETURN_WINDOWS,
    DeviceMemory,
    GpuPolicy,
    GpuState,
    GpuStatus,
)
from voice_transcriber.engines.model_cache import GPU_FAULTS, ModelCache, Room
from voice_transcriber.engines.protocol import (
    ON_CPU,
    ON_GPU,
    HostOptions,
    ModelKey,
    NeedsModel,
    Place,
    WindowReply,
    WindowRequest,
)
from voice_transcriber.engines.windows import (
    FeatureShelf,
    encode_ahead,
    feature_key,
    transcribe_batch,
)
from voice_transcriber.errors import EngineOutOfMemory, GpuFailed, TranscriberError
from voice_transcriber.processes.channel import Channel
from voice_transcriber.processes.memory import available_bytes

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Memory:
    """How memory is read."""

    cpu_free_bytes: Callable[[], int] = available_bytes
    gpu: Callable[[], DeviceMemory] = gpu_memory


class ModelDesk:
    """Used by the engine's loop alone."""

    def __init__(
        self,
        channel: Channel,
        options: HostOptions,
        *,
        place: Place,
        memory: Memory | None = None,
        between_steps: Callable[[], None] | None = None,
        on_step: Callable[[], None] = lambda: None,
        is_urgent: Callable[[], bool] = lambda: False,
    ) -> None:
        """`between_steps` is called by models that let other work pass, `on_step` as the work of
        any model comes along; `is_urgent` tells if more urgent work waits than what a model is
        loaded for.
        """
        self._is_urgent = is_urgent
        self._between_steps = between_steps
        self._on_step = on_step
        self._channel = channel
        self._options = options
        self._memory = memory or Memory()
        self._policy = GpuPolicy(
            threshold=options.gpu_memory_threshold,
            memory=self._memory.gpu,
            status=_first_status(place),
        )
        self._engines = EngineSet(options, on_step=self._let_know)
        self._models = ModelCache(
            self._engines,
            size=1 if options.free_memory_early else options.model_cache_size,
            place=place,
            room=Room(
                free_bytes=self._free_bytes,
                needed_bytes=lambda file, place: _needed(file, place, options.batch_size),
                least_bytes=lambda file, place: _needed(file, place, 1),
            ),
        )
        most = options.batch_size
        if place.device == ON_GPU.device:
            most = options.gpu_batch_size or most
        self._sizes = BatchSizes(first=options.batch_size, most=most)
        self._told = (self._policy.status, self._sizes.largest)
        self._loading: str | None = None  # the last that was loaded for a request
        self.shelf = FeatureShelf()

    def __contains__(self, key: ModelKey) -> bool:
        return key in self._models

    @property
    def waits_for_gpu(self) -> bool:
        """Whether a model computes on the CPU only as long as the GPU lacks memory."""
        return self._models.device == ON_GPU.device and any(
            place.device == ON_CPU.device for place in self._models.places.values()
        )

    def batch_size(self, request: WindowRequest) -> int:
        """Windows in a batch that begins with this one."""
        size = self._sizes.size(request.key, request.speech_samples)
        place = self._models.places.get(request.key)
        on_gpu = place is not None and place.device == ON_GPU.device
        return size if on_gpu else min(size, self._options.batch_size)

    def transcribe(self, requests: Sequence[WindowRequest]) -> list[WindowReply]:
        """One reply for each request; all share a batch key. Raises as `with_model` does."""
        key = requests[0].key
        replies = self.with_model(requests[0], lambda model: self._in_parts(model, requests))
        self._note_status(key)
        return [replace(reply, place=self._told_place(key)) for reply in replies]

    def encoded_together(
        self, requests: Sequence[WindowRequest]
    ) -> Iterator[Sequence[WindowRequest]]:
        """A CPU is no faster with several windows at once, and urgent ones wait for the shorter."""
        step = len(requests) if self._models.device == ON_GPU.device else 1
        for start in range(0, len(requests), step):
            yield requests[start : start + step]

    def encode(self, requests: Sequence[WindowRequest]) -> bool:
        """Ahead of `transcribe`. False when that failed for the device's sake: what then follows
        is left to `transcribe`, which meets the same. Raises as `load` does.
        """
        model = self.load(requests[0])
        try:
            encode_ahead(model, [feature_key(request) for request in requests], self.shelf)
        except (EngineOutOfMemory, GpuFailed) as fault:
            log.info("%d windows are not encoded ahead: %s", len(requests), fault.message)
            self.shelf.clear()
            return False
        return True

    def with_model(self, request: NeedsModel, work: Callable[[Model], T]) -> T:
        """What `work` gives; a GPU that fails at it is left for the CPU.

        Raises as `load` does, and what `work` raises.
        """
        try:
            return work(self.load(request))
        except (EngineOutOfMemory, GpuFailed) as error:
            # Without its frames, which hold what the GPU's memory is full of.
            fault = type(error)(error.message)
        return work(self._moved_to_cpu(request, fault))

    def load(self, request: NeedsModel) -> Model:
        """The model, in memory.

        Raises ModelTooLarge, ModelDamaged, EngineOutOfMemory, EngineNotOffered.
        """
        key, checkpoint = request.key, Path(request.checkpoint)
        self._models.drop_replaced(key, checkpoint)
        is_new = key not in self._models
        if is_new:
            self.shelf.clear()
            self._loading = key.model
            self._tell_loading()
        try:
            model = self._models.get(key, checkpoint)
            if is_new:
                self._note_loaded(key, checkpoint)
            return model
        finally:  # a model that cannot be loaded is not being loaded any more
            self.tell()

    def unload(self, *, idle_s: float) -> None:
        """Let go of models that nobody has used for so long."""
        self.shelf.clear()
        if self._models.drop_idle(idle_s=idle_s):
            give_back_memory(self._models.device)
        self.tell()

    def look_at_gpu(self) -> None:
        """From time to time: models that the GPU had no room for go back when it has."""
        if not self.waits_for_gpu or not self._policy.is_time_to_look():
            return
        returned = self._models.return_to_gpu(self._has_room_on_gpu)
        if not returned:
            return
        self.shelf.clear()
        for key in returned:
            self._sizes.forget(key)
        self._policy.returned()
        self._policy.note(GpuState.GPU, None)
        self.tell()

    def tell(self) -> None:
        """What is in memory and where it computes, and how much of a GPU's memory is left."""
        on_gpu = self._models.device == ON_GPU.device
        self._told = (self._policy.status, self._sizes.largest)
        self._channel.send(
            {
                "event": "models",
                "loaded": self._models.keys,
                "gpu_free_bytes": self._told_free_bytes() if on_gpu else None,
                "gpu": self._policy.status.to_message(),
                "batch_size": self._sizes.largest,
            }
        )

    def _let_know(self) -> bool:
        """Called between two steps of loading: the app hears that this goes on."""
        self._tell_loading()
        return self._is_urgent()

    def _tell_loading(self) -> None:
        self._channel.send({"event": "loading", "model": self._loading})

    def _in_parts(self, model: Model, requests: Sequence[WindowRequest]) -> list[WindowReply]:
        """In one batch, unless the model's place has no room for so many."""
        self._measure_room(requests[0])
        size = self.batch_size(requests[0])
        return [
            reply
            for start in range(0, len(requests), size)
            for reply in self._transcribed(model, requests[start : start + size])
        ]

    def _transcribed(self, model: Model, requests: Sequence[WindowRequest]) -> list[WindowReply]:
        """A batch that memory does not suffice for runs by halves."""
        key, count = requests[0].key, len(requests)
        started = time.monotonic()
        try:
            replies = transcribe_batch(model, requests, self.shelf, on_step=self._on_step)
        except EngineOutOfMemory:
            if count == 1:
                raise
        else:
            self._sizes.ran(
                key,
                speech=requests[0].speech_samples,
                windows=count,
                took_s=time.monotonic() - started,
            )
            return replies
        self.shelf.clear()
        give_back_memory(model.device)
        half = self._sizes.ran_out(key, windows=count)
        return [
            *self._transcribed(model, requests[:half]),
            *self._transcribed(model, requests[half:]),
        ]

    def _moved_to_cpu(self, request: NeedsModel, fault: TranscriberError) -> Model:
        self.shelf.clear()
        self._loading = request.model
        try:
            model = self._models.move_to_cpu(request.key, Path(request.checkpoint), fault)
            self._note_loaded(request.key, Path(request.checkpoint))
            return model
        finally:
            self.tell()

    def _note_loaded(self, key: ModelKey, checkpoint: Path) -> None:
        """The first batch is no larger than memory has room for beside the weights."""
        place = self._models.places[key]
        model = self._models.get(key, checkpoint)
        if self._between_steps and isinstance(model, Pausable):
            model.let_pass(self._between_steps)
        self._sizes.forget(key)
        if place.device == ON_CPU.device:
            file_bytes = checkpoint.stat().st_size
            each_bytes = window_bytes(file_bytes, compute_type=place.compute_type)
            self._sizes.set_room(key, self._memory.cpu_free_bytes() // each_bytes)
            if self._models.device == ON_GPU.device:
                self._policy.left()
                give_back_memory(ON_GPU.device)
        self._note_status(key)

    def _measure_room(self, request: WindowRequest) -> None:
        """Other programs come and go on a GPU. Raises EngineOutOfMemory: not even one window."""
        place = self._models.places[request.key]
        if place.device != ON_GPU.device:
            return
        file_bytes = Path(request.checkpoint).stat().st_size
        each_bytes = window_bytes(file_bytes, compute_type=place.compute_type)
        windows = self._policy.free_bytes() // each_bytes
        if windows == 0:
            raise EngineOutOfMemory(self._policy.shortage())
        self._sizes.set_room(request.key, windows)

    def _note_status(self, key: ModelKey) -> None:
        self._policy.note(*self._state(key))
        if self._told != (self._policy.status, self._sizes.largest):
            self.tell()

    def _state(self, key: ModelKey) -> tuple[GpuState, str | None]:
        place = self._models.places[key]
        if place.device == ON_CPU.device:
            return GpuState.CPU, place.note
        windows = self._sizes.limited_to(key)
        if windows is None:
            return GpuState.GPU, None
        return GpuState.SMALL_BATCH, (
            f"The GPU's memory has room for {windows} windows together, "
            f"of {self._options.batch_size}."
        )

    def _told_place(self, key: ModelKey) -> Place:
        """With a note, for the jobs, when the GPU takes small batches only."""
        place = self._models.places[key]
        return place if place.note else replace(place, note=self._state(key)[1])

    def _has_room_on_gpu(self, key: ModelKey, checkpoint: Path) -> bool:
        free_bytes = self._told_free_bytes()
        place = self._engines.place_on(ON_GPU.device, key.engine)
        needed = _needed(checkpoint, place, RETURN_WINDOWS)
        return free_bytes is not None and free_bytes >= needed

    def _told_free_bytes(self) -> int | None:
        """Of the GPU; None where it fails, which the next work on it finds out."""
        try:
            return self._policy.free_bytes()
        except GPU_FAULTS:
            return None

    def _free_bytes(self, device: str) -> int:
        return (
            self._policy.free_bytes() if device == ON_GPU.device else self._memory.cpu_free_bytes()
        )


def _needed(checkpoint: Path, place: Place, batch_size: int) -> int:
    return needed_bytes(
        checkpoint.stat().st_size, batch_size=batch_size, compute_type=place.compute_type
    )


def _first_status(place: Place) -> GpuStatus:
    state = GpuState.GPU if place.device == ON_GPU.device else GpuState.CPU
    return GpuStatus(state=state, reason=place.note, since=time.time())
