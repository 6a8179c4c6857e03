"""Prepared audio as arrays: samples of a PCM file that may still grow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt


def read_samples(pcm: Path, start: int, end: int, *, gain: float = 1.0) -> npt.NDArray[np.float32]:
    """Samples start..end of s16le mono PCM as float32 in -1..1, raised by `gain`."""
    mapped = np.memmap(pcm, dtype="<i2", mode="r")
    samples = mapped[start:end].astype(np.float32) * (gain / 32768.0)
    return np.clip(samples, -1.0, 1.0, out=samples)
