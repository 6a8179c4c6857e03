"""The device that the engine computes on, and its threads."""

from __future__ import annotations

import os

from voice_transcriber.engines.protocol import HostOptions


def prepare_device(options: HostOptions) -> str:
    """Set the native threads and return "cuda" or "cpu". Call it before torch is imported."""
    if options.engine == "fake":
        return "cpu"
    # Libraries read these when they are loaded.
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = str(options.threads)
    # A thread that spins while it waits takes the core from the one it waits for as soon as
    # another program runs: decoding was measured five to nine times slower then.
    os.environ["OMP_WAIT_POLICY"] = "passive"
    import torch

    torch.set_num_threads(options.threads)
    return "cuda" if options.use_gpu and torch.cuda.is_available() else "cpu"
