"""What one look at the machine and at our processes found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WEB = "web"  # pages, API and the threads that watch the jobs
ENGINE = "engine"
DECODERS = "decoders"
ROLES = (WEB, ENGINE, DECODERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessUse:
    """All our processes of one role together; zeros when there is none."""

    count: int = 0
    cpu_percent: float = 0.0  # 100 is the whole machine
    memory_bytes: int = 0  # resident


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuUse:
    """One GPU, whoever uses it."""

    index: int  # the driver's number
    name: str
    percent: float  # of the time in which it computed
    memory_used_bytes: int
    memory_total_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineUse:
    """The machine and our part of it. CPU figures are means since the look before."""

    cores: int
    cpu_percent: float  # 100 is all cores
    memory_used_bytes: int
    memory_total_bytes: int
    processes: Mapping[str, ProcessUse]  # each of ROLES is a key


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One point of the history."""

    time: float  # Unix seconds
    machine: MachineUse
    gpus: tuple[GpuUse, ...]
    disk_free_bytes: int  # of the disk that holds DATA_DIR
    disk_total_bytes: int
    queued: int
    running: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedJob:
    """How fast a job was that completed."""

    time: float  # Unix seconds of its end
    model: str
    real_time_factor: float  # seconds of work for one second of audio


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Of the jobs that completed in the last hour."""

    jobs: int
    real_time_factor: float | None  # median; None without jobs
