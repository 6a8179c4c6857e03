"""Which parts are candidates, and what a choice among them holds for. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from voice_transcriber.engines.auto.machine import machine_id, machine_name, package_versions
from voice_transcriber.engines.auto.records import Basis, Choice, DecoderPart, Parts
from voice_transcriber.engines.compute import AUTO_CHOOSES_FROM, types_of
from voice_transcriber.engines.encoders.installed import AUTO, BACKENDS, OWN, is_installed

PIPELINE = 2  # raise it when what is measured, or how, changes

# Single precision, whose text the others are held against; the engine that is faster at it.
REFERENCE = DecoderPart(engine="faster-whisper", compute_type="float32")
# What is taken unmeasured: not the fastest everywhere, and nowhere far from it.
_USUAL_DECODERS = (
    DecoderPart(engine="faster-whisper", compute_type="int8"),
    DecoderPart(engine="faster-whisper", compute_type="float16"),
)


def candidates(device: str, *, compute_type: str, encoder: str, threads: Sequence[int]) -> Parts:
    """`compute_type` and `encoder` are "auto", or what was asked for by name."""
    decoders = [part for part in _decoders(device) if compute_type in (AUTO, part.compute_type)]
    return Parts(decoders=decoders, encoders=_encoders(device, encoder), threads=threads)


def unmeasured(parts: Parts, reason: str) -> Choice:
    """What is taken for now; `reason` is the first half of a sentence."""
    usual = [part for part in _USUAL_DECODERS if part in parts.decoders]
    return Choice(
        decoder=(usual or parts.decoders)[-1],
        encoder=parts.encoders[-1],
        threads=parts.threads[0],
        reason=f"{reason}; what is fastest is measured when the model is next loaded.",
        is_final=False,
    )


def basis_of(device: str, parts: Parts) -> Basis:
    asked = [
        ", ".join(map(str, parts.decoders)),
        ", ".join(parts.encoders),
        ", ".join(map(str, parts.threads)),
    ]
    return Basis(
        machine=machine_name(device),
        machine_id=machine_id(device),
        versions=package_versions(),
        pipeline=PIPELINE,
        device=device,
        asked="; ".join(asked),
    )


def _decoders(device: str) -> list[DecoderPart]:
    """The reference first, then fewer bits before more of them: the time for measuring may end
    before the last.
    """
    known = [
        DecoderPart(engine=engine, compute_type=compute_type)
        for engine in AUTO_CHOOSES_FROM
        for compute_type in types_of(engine, device)
    ]
    known.sort(key=lambda part: part.compute_type == "float32")
    return list(dict.fromkeys([REFERENCE, *known]))


def _encoders(device: str, encoder: str) -> list[str]:
    if device != "cpu":  # the backends compute on the CPU
        return [OWN]
    if encoder != AUTO:
        return [encoder]
    return [OWN, *filter(is_installed, BACKENDS)]
