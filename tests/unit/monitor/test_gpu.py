"""GPU figures: the real library where there is no driver, and a stand-in for the driver."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from voice_transcriber.monitor.gpu import GpuMeter
from voice_transcriber.monitor.sample import GpuUse


class DriverError(Exception):
    """As pynvml.NVMLError."""


@dataclass
class Driver:
    """Two GPUs, in place of NVIDIA's library: no machine of the tests has one."""

    lost: set[int] = field(default_factory=set)
    NVMLError = DriverError

    def nvmlInit(self) -> None: ...

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, handle: int) -> str:
        return f"GPU {handle}"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:
        if handle in self.lost:
            raise DriverError
        return SimpleNamespace(used=10, total=100)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> SimpleNamespace:
        return SimpleNamespace(gpu=40 + handle, memory=0)


def test_without_a_driver_there_are_no_gpus() -> None:
    pynvml = pytest.importorskip("pynvml")
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        assert GpuMeter().read() == ()
    else:
        assert len(GpuMeter().read()) == pynvml.nvmlDeviceGetCount()


def test_each_gpu_is_read() -> None:
    first, second = GpuMeter(Driver()).read()
    assert first == GpuUse(
        index=0, name="GPU 0", percent=40.0, memory_used_bytes=10, memory_total_bytes=100
    )
    assert (second.index, second.percent) == (1, 41.0)


def test_a_gpu_that_falls_off_keeps_the_others_apart() -> None:
    driver = Driver()
    meter = GpuMeter(driver)
    driver.lost.add(0)
    assert [gpu.index for gpu in meter.read()] == [1]
