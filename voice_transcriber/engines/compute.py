"""What each engine can compute with, on which device. Pure.

The first type of a device is what `auto` means there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voice_transcriber.engines.protocol import HostOptions, Place
from voice_transcriber.errors import ConfigurationError

Types = Mapping[str, Sequence[str]]  # by device

AUTO = "auto"
AUTO_CHOOSES_FROM = ("openai-whisper", "faster-whisper")  # what the engine auto may run

_TYPES: Types = {"cpu": ["float32", "bfloat16"], "cuda": ["float16", "bfloat16", "float32"]}
_TYPES_OF: Mapping[str, Types] = {  # of engines that have others
    "faster-whisper": {
        "cpu": ["int8", "float32"],
        "cuda": ["float16", "int8_float16", "int8", "bfloat16", "float32"],
    },
}


def types_of(engine: str, device: str) -> Sequence[str]:
    """Those of the engine auto are all that it may choose, after "auto", its own choice."""
    if engine != AUTO:
        return _TYPES_OF.get(engine, _TYPES)[device]
    found = [one for name in AUTO_CHOOSES_FROM for one in types_of(name, device)]
    return list(dict.fromkeys([AUTO, *found]))


def place_on(device: str, options: HostOptions) -> Place:
    """The device with its type: the asked one where the device has it, else the device's own.

    So a type that only a GPU has does not keep the CPU from standing in for the GPU.
    """
    known = types_of(options.engine, device)
    asked = options.compute_type
    return Place(
        device=device,
        compute_type=asked if asked in known else known[0],
        engine=options.engine,
    )


def check_computing(*, engine: str, device: str, compute_type: str, gpu_enabled: bool) -> None:
    """Raises ConfigurationError where DEVICE, COMPUTE_TYPE and ENGINE exclude each other."""
    if device == "cuda" and not gpu_enabled:
        raise ConfigurationError(
            "DEVICE is 'cuda', and ENABLE_GPU_ACCELERATION is off.",
            remedy="DEVICE: give auto or cpu, or set ENABLE_GPU_ACCELERATION to true.",
        )
    if compute_type == AUTO:
        return
    devices = [name for name in ("cpu", "cuda") if device in (name, "auto")]
    if not gpu_enabled:
        devices = ["cpu"]
    known = [one for name in devices for one in types_of(engine, name) if one != AUTO]
    if compute_type not in known:
        where = "on the CPU" if devices == ["cpu"] else "here"
        raise ConfigurationError(
            f"COMPUTE_TYPE is {compute_type!r}, which the engine {engine} does not have {where}.",
            remedy=f"COMPUTE_TYPE: give auto, {', '.join(dict.fromkeys(known))}; "
            "int8 on a CPU needs ENGINE=faster-whisper or auto.",
        )
