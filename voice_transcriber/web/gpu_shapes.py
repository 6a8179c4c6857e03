"""The shape of the GPU's state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Self

from voice_transcriber.web.shapes import Shape, time_text
from voice_transcriber.web.system_shapes import GpuShape

if TYPE_CHECKING:
    from voice_transcriber.services import Services

NOT_STARTED = "The engine has not been started yet; it starts with the first job."


class GpuStatusShape(Shape):
    """What is computed on and why; and the memory of each GPU, whoever uses it."""

    state: Literal["gpu", "gpu-small-batch", "cpu"] | None  # null: not known before the first job
    device: Literal["cuda", "cpu"] | None
    reason: str | None  # why it is not the GPU, or not with full batches
    since: str | None  # of the state
    threshold: float  # part of a GPU's memory that all programs together may use
    free_bytes: int | None  # that the engine may still take; null where it uses no GPU
    gpus: Sequence[GpuShape]

    @classmethod
    def of(cls, services: Services) -> Self:
        status = services.engine.gpu
        gpus = [GpuShape.model_validate(gpu) for gpu in services.system.now().gpus]
        threshold = services.settings.gpu_memory_threshold
        free_bytes = services.engine.gpu_free_bytes
        if status is None:
            return cls(
                state=None,
                device=None,
                reason=NOT_STARTED,
                since=None,
                threshold=threshold,
                free_bytes=free_bytes,
                gpus=gpus,
            )
        return cls(
            state=status.state.value,
            device="cpu" if status.state.value == "cpu" else "cuda",
            reason=status.reason,
            since=time_text(status.since),
            threshold=threshold,
            free_bytes=free_bytes,
            gpus=gpus,
        )
