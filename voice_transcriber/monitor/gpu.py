"""GPU figures, from NVIDIA's driver.

The web process must not import torch, which knows the GPU as well. The driver's own library
answers without it, through nvidia-ml-py (import name pynvml): a package of its own in
requirements-gpu.txt, because most machines have no use for it. Without the package, the driver or
a GPU there are no figures, and nothing else changes.
"""

from __future__ import annotations

import logging
from typing import Any

from voice_transcriber.monitor.sample import GpuUse

log = logging.getLogger(__name__)


class GpuMeter:
    """All GPUs that the driver shows to this process."""

    def __init__(self, nvml: Any = None) -> None:
        """`nvml` has the functions of the module pynvml; by default it is that module."""
        self._nvml = nvml or _installed_nvml()
        self._handles = self._open() if self._nvml else []

    def read(self) -> tuple[GpuUse, ...]:
        """What can be read; a GPU that cannot be read now is left out."""
        found = []
        for index, handle in enumerate(self._handles):
            try:
                found.append(self._use(index, handle))
            except self._nvml.NVMLError as error:
                log.debug("A GPU could not be read: %s", error)
        return tuple(found)

    def _open(self) -> list[Any]:
        try:
            self._nvml.nvmlInit()
            count = self._nvml.nvmlDeviceGetCount()
            return [self._nvml.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
        except self._nvml.NVMLError as error:
            log.debug("There are no GPU figures: %s", error)
            return []

    def _use(self, index: int, handle: Any) -> GpuUse:
        memory = self._nvml.nvmlDeviceGetMemoryInfo(handle)
        return GpuUse(
            index=index,
            name=self._nvml.nvmlDeviceGetName(handle),
            percent=float(self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu),
            memory_used_bytes=memory.used,
            memory_total_bytes=memory.total,
        )


def _installed_nvml() -> Any:
    try:
        import pynvml
    except ModuleNotFoundError:
        return None
    return pynvml
