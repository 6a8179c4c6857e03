"""What a measurement holds for: the machine and the packages. Imports none of them."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from voice_transcriber.settings import cpu_threads

_CPUINFO = Path("/proc/cpuinfo")
_PACKAGES = ("torch", "openai-whisper", "ctranslate2", "openvino")


def machine_name() -> str:
    """The processor and how many of its cores may be used."""
    name = _cpuinfo().get("model name") or platform.processor() or platform.machine()
    cores = cpu_threads(0)
    return f"{name}, {cores} {'core' if cores == 1 else 'cores'}"


def machine_id() -> str:
    """The same for machines of one kind: what the processor is and can do, and its cores."""
    known = (machine_name(), platform.machine(), _cpuinfo().get("flags", ""))
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


def _cpuinfo() -> Mapping[str, str]:
    """Of the first core, where the system tells it."""
    try:
        first = _CPUINFO.read_text(encoding="utf-8", errors="replace").split("\n\n", 1)[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
