"""What an encoder is that is no engine's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from voice_transcriber.engines.base import Encoded

LogMel = npt.NDArray[np.float32]  # bands x 3000 frames of one window


class Encoder(Protocol):
    """The encoder of one checkpoint, on the CPU."""

    bands: int  # of the spectrogram that it reads

    def encode(self, mels: Sequence[LogMel]) -> list[Encoded]:
        """One array for each window. Raises EngineOutOfMemory."""
        ...


class EncoderBackend(Protocol):
    """Loads encoders."""

    def load(self, checkpoint: Path, *, size: str) -> Encoder:
        """`size` is the model's name. The threads are those that are set for torch.

        Raises ModelDamaged, ModelUnavailable, DiskFull, EngineOutOfMemory, and ConfigurationError
        where its package is not installed.
        """
        ...
