"""Levels: the quiet point to cut at, and how much a quiet recording is raised.

Runs in the engine child. librosa measures the seconds around a cut, never a whole file; most
files have none, and it takes 1.4 s and 140 MB to import.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voice_transcriber.job import SAMPLE_RATE

Samples = npt.NDArray[np.float32]

QUIET_S = 0.4  # length of the quiet stretch that is looked for
HOP = 160  # 10 ms
FRAME_HOPS = 4  # length of the frames whose level is measured

PROBES = 20  # stretches of the chunk whose level is measured
PROBE_S = 2
QUIET_RMS = 0.018  # -35 dBFS: recordings whose loud parts stay below are raised
TARGET_RMS = 0.06  # -25 dBFS
MAX_GAIN = 20.0


def quietest_point(samples: Samples) -> int:
    """The sample in the middle of the quietest QUIET_S of a stretch."""
    import librosa

    rms = librosa.feature.rms(y=samples, frame_length=FRAME_HOPS * HOP, hop_length=HOP)[0]
    width = int(QUIET_S * SAMPLE_RATE / HOP)
    if len(rms) <= width:
        return len(samples) // 2
    energy = np.convolve(rms**2, np.ones(width), mode="valid")
    return min((int(np.argmin(energy)) + width // 2) * HOP, len(samples))


def leveling_gain(samples: Samples) -> float:
    """The factor that raises a quiet chunk to a normal level; 1.0 for all others.

    The level is that of the loud parts (95th percentile), so silence between
    sentences does not count as quiet speech, and nothing is driven into clipping.
    """
    length = PROBE_S * SAMPLE_RATE
    starts = np.linspace(0, max(0, len(samples) - length), PROBES).astype(int)
    probes = [samples[start : start + length] for start in np.unique(starts)]
    level = float(np.percentile(np.concatenate([_levels(probe) for probe in probes]), 95))
    if level >= QUIET_RMS or level <= 1e-5:
        return 1.0
    peak = max(float(samples.max()), -float(samples.min()))
    return max(1.0, min(TARGET_RMS / level, MAX_GAIN, 0.99 / peak))


def _levels(samples: Samples) -> npt.NDArray[np.float32]:
    """Root mean square of overlapping frames, one for each hop; silence is before and after."""
    hops = -(-len(samples) // HOP)
    energy = np.zeros((hops + FRAME_HOPS, HOP), np.float32)
    energy.reshape(-1)[FRAME_HOPS // 2 * HOP :][: len(samples)] = np.square(samples)
    frames = np.convolve(energy.sum(axis=1), np.ones(FRAME_HOPS), mode="valid")
    return np.asarray(np.sqrt(frames / (FRAME_HOPS * HOP)), np.float32)
