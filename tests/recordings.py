"""The recordings of tests/data/audio with their true texts, and sounds made on the spot."""

from __future__ import annotations

import json
import re
import wave
from functools import cache
from pathlib import Path
from typing import Any

import av
import jiwer
import numpy as np
import numpy.typing as npt
from av.audio.resampler import AudioResampler

from voice_transcriber.job import SAMPLE_RATE

Samples = npt.NDArray[np.float32]

AUDIO = Path(__file__).parent / "data" / "audio"


@cache
def manifest() -> dict[str, Any]:
    rows = json.loads((AUDIO / "manifest.json").read_text(encoding="utf-8"))
    return {row["file"]: row for row in rows}


def words(text: str) -> list[str]:
    """Words in lower case without punctuation."""
    return re.sub(r"[^\w\s]", "", text.lower()).split()


def word_error_rate(truth: str, text: str) -> float:
    """Wrong, missing and superfluous words, in percent of the words of `truth`."""
    return 100 * float(jiwer.wer(" ".join(words(truth)), " ".join(words(text))))


def samples_of(path: Path) -> Samples:
    """A short file as the engine hears it: 16 kHz mono, -1..1."""
    resampler = AudioResampler("flt", "mono", SAMPLE_RATE)
    with av.open(path) as container:
        frames = [one for frame in container.decode(audio=0) for one in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def tone(seconds: float, *, level: float = 0.25, pitch_hz: float = 440.0) -> Samples:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(level * np.sin(2 * np.pi * pitch_hz * times), np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def poison(seconds: float = 0.1) -> Samples:
    """What ends the process of the fake engine."""
    return np.ones(round(seconds * SAMPLE_RATE), np.float32)


def pcm_bytes(samples: Samples) -> bytes:
    return np.clip(samples * 32768, -32768, 32767).astype("<i2").tobytes()


def write_pcm(path: Path, samples: Samples) -> Path:
    path.write_bytes(pcm_bytes(samples))
    return path


def write_wav(path: Path, *parts: Samples) -> Path:
    """The parts one after the other, 16 kHz mono."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm_bytes(np.concatenate(parts)))
    return path
