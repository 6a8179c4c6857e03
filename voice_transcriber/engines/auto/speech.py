"""The speech that candidates are measured with: the shipped recording in a few windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from voice_transcriber.audio.media_file import MediaFile
from voice_transcriber.engines.base import Samples
from voice_transcriber.job import SAMPLE_RATE

SAMPLE = Path(__file__).resolve().parents[2] / "assets" / "sample.flac"
LANGUAGE = "en"

# Pauses of the recording. An encoder takes as long for a third of a window as for a whole one, a
# decoder a third of the time.
_CUTS_S = (8.72, 19.38)


def measured_speech() -> list[Samples]:
    with MediaFile(SAMPLE) as file:
        pcm = np.frombuffer(b"".join(file.pcm()), "<i2")
    samples: Samples = pcm.astype(np.float32) / np.float32(32768)
    return np.split(samples, [round(cut_s * SAMPLE_RATE) for cut_s in _CUTS_S])
