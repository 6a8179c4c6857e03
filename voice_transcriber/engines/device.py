"""The device that the engine computes on, and its threads."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from voice_transcriber.engines.compute import place_on
from voice_transcriber.engines.gpu_policy import DeviceMemory
from voice_transcriber.engines.protocol import ON_CPU, HostOptions, Place, on_cpu_because
from voice_transcriber.errors import EngineOutOfMemory
from voice_transcriber.processes.memory import free_unused_memory, return_large_blocks

# Blocks of this size go back to the system when they are freed. In its heaps the C library keeps
# them, and the holes between them: over an hour in batches of 32 windows of base the process grew
# to 2.0 GB this way, to 2.7 GB and further with a limit of 16 MB.
_RETURNED_BYTES = 4 * 1024**2
_PCI = Path("/sys/bus/pci/devices")  # tells what is built in, with a driver or without
_NVIDIA, _DISPLAY = "0x10de", "0x03"


def prepare_device(options: HostOptions) -> Place:
    """Set the native threads, and say what to compute on. Call it before torch is imported.

    Without CUDA the place has a note when a GPU is asked for by name, and when this machine has
    one that CUDA could use.
    """
    if options.engine == "fake":
        return ON_CPU
    # Libraries read these when they are loaded.
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = str(options.threads)
    # A thread that spins while it waits takes the core from the one it waits for as soon as
    # another program runs: decoding was measured five to nine times slower then.
    os.environ["OMP_WAIT_POLICY"] = "passive"
    # Large tensors in huge pages: in virtual machines small ones were measured to be read three to
    # twenty times slower while the host was short of memory bandwidth.
    os.environ["THP_MEM_ALLOC_ENABLE"] = "1"
    return_large_blocks(_RETURNED_BYTES)
    import torch

    torch.set_num_threads(options.threads)
    # A thread takes the number over when it first asks for it, and keeps it. So what another
    # thread sets for itself later, voice detection for example, is not taken over by this one.
    torch.get_num_threads()
    cpu = place_on("cpu", options)
    if not options.use_gpu:
        return cpu
    if torch.cuda.is_available():
        return place_on("cuda", options)
    expected = options.gpu_expected or has_nvidia_gpu()
    return on_cpu_because(_cuda_fault(), cpu) if expected else cpu


def has_nvidia_gpu(pci: Path = _PCI) -> bool:
    """Whether one is there, with a driver that works or without."""
    return shutil.which("nvidia-smi") is not None or any(map(_is_nvidia_gpu, pci.glob("*")))


def _is_nvidia_gpu(device: Path) -> bool:
    try:
        vendor, kind = ((device / name).read_text().strip() for name in ("vendor", "class"))
    except OSError:
        return False
    return vendor == _NVIDIA and kind.startswith(_DISPLAY)


def _cuda_fault() -> str:
    """Why CUDA cannot be used, in torch's words."""
    import torch

    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:
        return str(error).strip().split(". ", 1)[0]
    return "CUDA names no GPU"


def give_back_memory(device: str) -> None:
    """What models held that are gone: to the system, and a GPU's to other programs."""
    free_unused_memory()
    if device == "cuda":
        import torch

        with suppress(RuntimeError):  # of a GPU that failed: its next user is told
            torch.cuda.empty_cache()


def gpu_memory() -> DeviceMemory:
    """Of the GPU that CUDA computes on, whoever uses it. Raises GpuFailed, EngineOutOfMemory."""
    import torch

    from voice_transcriber.engines.native_faults import gpu_failed, is_out_of_memory

    try:
        free_bytes, total_bytes = torch.cuda.mem_get_info()
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise EngineOutOfMemory("The GPU has no memory left.") from error
        raise gpu_failed(error) from error
    # What torch keeps for itself of tensors that are gone is free as well.
    kept_bytes = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
    return DeviceMemory(free_bytes=free_bytes + kept_bytes, total_bytes=total_bytes)
