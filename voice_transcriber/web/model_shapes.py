"""The shapes of the models: file, download, memory, speed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field

from voice_transcriber.web.schemas import ErrorShape, Request, Shape

if TYPE_CHECKING:
    from voice_transcriber.services import Services


class DeleteQuery(Request):
    """What may be deleted."""

    own: bool = False  # also a file of one's own, which cannot be downloaded again


class DownloadShape(Shape):
    """How far a model's file is."""

    state: Literal["absent", "downloading", "present", "failed"]
    done_bytes: int  # also of a download that was cancelled or broke off: it goes on from there
    total_bytes: int
    percent: float
    bytes_per_s: float
    cancellable: bool  # false where only jobs wait for it
    error: ErrorShape | None  # why it failed

    @classmethod
    def of(cls, model: Any) -> Self:
        transfer = model.transfer
        return cls(
            state=transfer.state.value,
            done_bytes=transfer.done_bytes,
            total_bytes=transfer.total_bytes,
            percent=transfer.percent,
            bytes_per_s=transfer.bytes_per_s,
            cancellable=model.is_wanted,
            error=transfer.error and ErrorShape.model_validate(transfer.error),
        )


class ModelShape(Shape):
    """A model that jobs can name."""

    name: str
    label: str
    note: str = Field(description="What it is good for.")
    alias_of: str | None = Field(description="The other name of the same file.")
    present: bool = Field(description="Usable without a network.")
    size_bytes: int = Field(description="Of the file, or of the download (rounded).")
    english_only: bool
    downloadable: bool
    memory_bytes: int = Field(description="Needed to load it and to decode full batches.")
    fits: bool = Field(description="Whether that much memory is free, or idle models can free it.")
    in_memory: bool
    loading: bool
    real_time_factor: float | None = Field(
        description="Seconds of work for a second of audio: the median of the newest jobs on this "
        "machine; null before the first."
    )
    download: DownloadShape

    @classmethod
    def of(cls, model: Any) -> Self:
        """From the library's ModelState."""
        info = model.info
        return cls(
            name=info.name,
            label=info.label,
            note=info.note,
            alias_of=info.alias_of,
            present=info.present,
            size_bytes=info.size_bytes,
            english_only=info.english_only,
            downloadable=info.downloadable,
            memory_bytes=model.memory_bytes,
            fits=model.fits,
            in_memory=model.in_memory,
            loading=model.loading,
            real_time_factor=model.real_time_factor,
            download=DownloadShape.of(model),
        )


class ModelListShape(Shape):
    """The models that jobs can name."""

    models: Sequence[ModelShape]
    default: str = Field(description="The model of a job that names none.")
    free_memory_bytes: int = Field(description="Of the device that models are loaded into.")
    offline: bool = Field(description="Whether downloads are refused (OFFLINE).")

    @classmethod
    def of(cls, parts: Services) -> Self:
        return cls(
            models=[ModelShape.of(model) for model in parts.library.models()],
            default=parts.settings.default_model,
            free_memory_bytes=parts.library.free_memory_bytes(),
            offline=parts.settings.offline,
        )
