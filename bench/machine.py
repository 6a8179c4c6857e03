"""What the machine was and what else it did while something was measured."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass, field

import psutil


def describe() -> str:
    load = ", ".join(f"{value:.2f}" for value in psutil.getloadavg())
    memory_gib = psutil.virtual_memory().total / 1024**3
    cores = len(psutil.Process().cpu_affinity())
    return (
        f"{_processor()}, {cores} cores, {memory_gib:.0f} GiB, Python {platform.python_version()}; "
        f"load average {load}"
    )


@dataclass
class OtherLoad:
    """`with OtherLoad() as other:` then `other.cores`: what processes that are not ours used."""

    cores: float = 0.0
    _started: tuple[float, float, float] = field(default=(0.0, 0.0, 0.0))

    def __enter__(self) -> OtherLoad:
        self._started = _clock()
        return self

    def __exit__(self, *_: object) -> None:
        wall_s, busy_s, own_s = (
            now - before for now, before in zip(_clock(), self._started, strict=True)
        )
        self.cores = max(0.0, (busy_s - own_s) / wall_s)

    def __str__(self) -> str:
        return f"others used {self.cores:.2f} cores"


def _clock() -> tuple[float, float, float]:
    """Wall seconds, busy core seconds of the machine, and of this process and its children."""
    times = psutil.cpu_times()
    busy_s = times.user + times.nice + times.system + times.irq + times.softirq + times.steal
    return time.monotonic(), busy_s, _own_cpu_s()


def _own_cpu_s() -> float:
    me = psutil.Process()
    total_s = 0.0
    for process in [me, *me.children(recursive=True)]:
        try:
            total_s += sum(process.cpu_times()[:4])  # with the children that have ended
        except psutil.Error:
            continue
    return total_s


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine()
