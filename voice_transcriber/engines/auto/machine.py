"""What a measurement holds for: the machine and the packages. Imports none of them."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from voice_transcriber.engines.protocol import ON_GPU
from voice_transcriber.settings import cpu_threads

_CPUINFO = Path("/proc/cpuinfo")
_NVIDIA = Path("/proc/driver/nvidia/gpus")
_DRIVER_S = 10.0  # it takes a second or two while it wakes the GPU
_PACKAGES = ("torch", "openai-whisper", "ctranslate2", "openvino")


def machine_name(device: str) -> str:
    """The processor and how many of its cores may be used; before them the GPUs for "cuda"."""
    name = _cpuinfo().get("model name") or platform.processor() or platform.machine()
    cores = cpu_threads(0)
    gpus = gpu_names() if device == ON_GPU.device else ()
    return ", ".join([*gpus, name, f"{cores} {'core' if cores == 1 else 'cores'}"])


def machine_id(device: str) -> str:
    """The same for machines of one kind: what the processor is and can do, and its cores."""
    known = (machine_name(device), platform.machine(), _cpuinfo().get("flags", ""))
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:12]


def package_versions() -> Mapping[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def thread_counts(configured: int) -> tuple[int, ...]:
    """Counts worth measuring: the one that was set, else the physical cores and all threads."""
    usable = cpu_threads(configured)
    if configured:
        return (usable,)
    physical = psutil.cpu_count(logical=False) or usable
    return (usable, physical) if physical < usable else (usable,)


def gpu_names(known: Path = _NVIDIA) -> tuple[str, ...]:
    """Of all NVIDIA GPUs in the order of their slots; none where nothing tells them."""
    found = [
        line.partition(":")[2].strip()
        for path in sorted(known.glob("*/information"))
        for line in _text_of(path).splitlines()
        if line.startswith("Model:")
    ]
    return tuple(found) or _gpu_names_of_driver()


@cache
def _gpu_names_of_driver() -> tuple[str, ...]:
    """Where the system tells none, as in Windows' Linux, the driver's program may."""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        told = subprocess.run(
            command, capture_output=True, text=True, timeout=_DRIVER_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in told.stdout.splitlines())


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _cpuinfo() -> Mapping[str, str]:
    """Of the first core, where the system tells it."""
    first = _text_of(_CPUINFO).split("\n\n", 1)[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
