"""The shapes of the models: file, download, memory, speed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field

from voice_transcriber.web.schemas import Request
from voice_transcriber.web.shapes import ErrorShape, Shape, time_text

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


class CandidateShape(Shape):
    """An engine, or an encoder, as it was measured."""

    name: str
    chosen: bool
    encode_s: float | None = Field(description="Seconds of its encoder for 30 s of speech.")
    decode_s: float | None = Field(
        description="Seconds of its decoder for 30 s of speech; null for an encoder alone."
    )
    differing_percent: float | None = Field(
        description="Words that are others than those of single precision."
    )
    note: str | None = Field(description="Why it was not measured in full, or not chosen.")


class MeasuredShape(Shape):
    """What the engine auto chose for a model on this machine, and by which figures."""

    name: str
    engine: str
    compute_type: str
    encoder: str
    threads: int
    reason: str
    machine: str
    measured_at: str
    took_s: float = Field(description="With the loading and converting of all candidates.")
    candidates: Sequence[CandidateShape]

    @classmethod
    def of(cls, measured: Any) -> Self:
        """From the engine's Measured."""
        choice = measured.choice
        return cls(
            name=choice.name,
            engine=choice.decoder.engine,
            compute_type=choice.decoder.compute_type,
            encoder=choice.encoder,
            threads=choice.threads,
            reason=choice.reason,
            machine=measured.basis.machine,
            measured_at=time_text(measured.at) or "",
            took_s=measured.took_s,
            candidates=[
                CandidateShape(
                    name=figure.name,
                    chosen=choice.uses(figure),
                    encode_s=figure.encode_s,
                    decode_s=figure.decode_s,
                    differing_percent=figure.differing_percent,
                    note=figure.note,
                )
                for figure in measured.figures
            ],
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
    fits: bool = Field(
        description="Whether it would be loaded now: with smaller batches where memory is short."
    )
    in_memory: bool
    loading: bool
    real_time_factor: float | None = Field(
        description="Seconds of work for a second of audio, over the newest jobs on this machine; "
        "null before the first."
    )
    measured: MeasuredShape | None = Field(
        description="What ENGINE=auto chose; null before the first use, and with other engines."
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
            measured=model.measured and MeasuredShape.of(model.measured),
            download=DownloadShape.of(model),
        )


class ModelListShape(Shape):
    """The models that jobs can name."""

    models: Sequence[ModelShape]
    default: str = Field(description="The model of a job that names none.")
    free_memory_bytes: int = Field(description="Of the device that models are loaded into.")
    offline: bool = Field(description="Whether downloads are refused (OFFLINE).")
    remote: str | None = Field(
        description="The server that recordings are sent to; null where they stay on this machine."
    )

    @classmethod
    def of(cls, parts: Services) -> Self:
        return cls(
            models=[ModelShape.of(model) for model in parts.library.models()],
            default=parts.settings.default_model,
            free_memory_bytes=parts.library.free_memory_bytes(),
            offline=parts.settings.offline,
            remote=parts.remote.server if parts.remote else None,
        )
