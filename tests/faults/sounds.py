"""Recordings of which no two stretches are alike, and the text that an undisturbed run gives.

The fake engine's text follows from the samples: with noise that never repeats itself, a window that
is lost, doubled or moved shows in the text. Pauses lie where speech has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.recordings import AUDIO, Samples, silence, write_wav
from tests.running import running, settings_for, submit, text_of
from voice_transcriber.job import SAMPLE_RATE

LEVEL = 0.1
Text = tuple[tuple[int, int, str], ...]  # start and end in ms, and words, of each segment
Texts = Mapping[str, Text]  # by the name of the recording

SECONDS = {"clip": 6.0, "half": 35.0, "minute": 70.0, "minutes": 200.0, "long": 450.0}


def noise(seconds: float, *, seed: int) -> Samples:
    """Bursts of 2 to 9 s with pauses between them."""
    chance = np.random.default_rng(seed)
    parts: list[Samples] = []
    left_s = seconds
    while left_s > 0:
        burst_s = min(left_s, float(chance.uniform(2.0, 9.0)))
        samples = chance.uniform(-LEVEL, LEVEL, round(burst_s * SAMPLE_RATE))
        pause_s = min(left_s - burst_s, float(chance.uniform(0.3, 0.9)))
        parts += [samples.astype(np.float32), silence(pause_s)]
        left_s -= burst_s + max(pause_s, 0.001)
    return np.concatenate(parts)


def everyday(folder: Path) -> list[Path]:
    """From a clip to a long recording."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_wav(folder / f"{name}.wav", noise(seconds, seed=seed))
        for seed, (name, seconds) in enumerate(SECONDS.items(), start=1)
    ]


def clips(folder: Path, count: int, *, seconds: float = 8.0) -> list[Path]:
    """Short ones, all different."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_wav(folder / f"clip-{number}.wav", noise(seconds, seed=1000 + number))
        for number in range(count)
    ]


def undisturbed(folder: Path, recordings: list[Path], **values: str) -> Texts:
    """What the same parts make of them when nothing happens."""
    with running(settings_for(folder, **values)) as services:
        jobs = {path.name: submit(services, path) for path in recordings}
        for job in jobs.values():
            text_of(services, job)
        return {
            name: text_from(services.store.transcript(job.id).to_dict())
            for name, job in jobs.items()
        }


def text_from(transcript: Mapping[str, Any]) -> Text:
    """Of a transcript as its JSON, the API and the sidecar files have it."""
    return tuple((one["start_ms"], one["end_ms"], one["text"]) for one in transcript["segments"])


def real_recordings() -> list[Path]:
    """Speech that the demo model understands, from five seconds to a minute. Of other speech it
    writes one of several texts that are equally likely: rounding decides, which differs with the
    windows that share a batch.
    """
    return [AUDIO / name for name in ("en_5s.wav", "en_30s.flac", "de_1min.flac", "es_1min.flac")]
