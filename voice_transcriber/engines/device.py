"""The device that the engine computes on, and its threads."""

from __future__ import annotations

from voice_transcriber.engines.protocol import HostOptions


def prepare_device(options: HostOptions) -> str:
    """Set torch's threads and return "cuda" or "cpu"."""
    if options.engine == "fake":
        return "cpu"
    import torch

    torch.set_num_threads(options.threads)
    return "cuda" if options.use_gpu and torch.cuda.is_available() else "cpu"
