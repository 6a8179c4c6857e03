"""AUDIO_OPTIMIZATION: words and time, with quiet recordings and with others."""

from __future__ import annotations

import wave
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.machine import OtherLoad
from bench.product import running_product
from bench.recordings import SAMPLE_RATE, Recording, load_recordings, read_samples
from bench.tables import Bound
from bench.words import Score, pooled_rate, score

_QUIET = "quiet_1min.flac"
_OTHERS = ("gaps_4min.opus", "noisy_1min.flac", "en_30s.flac")
_QUIETER_DB = (10, 20, 30, 40)  # below the quiet recording


def audio_bounds(folder: Path, *, audio: Path) -> list[Bound]:
    quiet, *others = load_recordings(audio, (_QUIET, *_OTHERS))
    quieter = [_quieter(quiet, folder, decibels=decibels) for decibels in _QUIETER_DB]
    recordings = [quiet, *quieter, *others]
    with OtherLoad() as other:
        off, on = (_scores(recordings, setting) for setting in ("false", "true"))
    detail = f"; {other}"
    for before, after in zip(off, on, strict=True):
        print(f"{after.file}: {_figures(before)} off, {_figures(after)} on", flush=True)
    count = 1 + len(quieter)
    return [
        _bound("quiet recordings", off[:count], on[:count], detail),
        _bound("other recordings", off[count:], on[count:], detail),
    ]


def _quieter(recording: Recording, folder: Path, *, decibels: int) -> Recording:
    samples = np.rint(read_samples(recording.path) * 10 ** (-decibels / 20) * 32768)
    path = folder / f"{recording.path.stem}_{decibels}dB_less.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return replace(recording, path=path)


def _scores(recordings: Sequence[Recording], setting: str) -> list[Score]:
    with running_product(AUDIO_OPTIMIZATION=setting) as product:
        product.read(recordings[-1].path, language="en")  # the model is loaded
        return [score(one, product.read(one.path, language=one.language)) for one in recordings]


def _bound(name: str, off: Sequence[Score], on: Sequence[Score], detail: str) -> Bound:
    without, with_it = pooled_rate(off), pooled_rate(on)
    return Bound(
        name=f"WER of {name}, on",
        measured=f"{with_it:.2f} %",
        limit=f"<= {without:.2f} %, as off",
        kept=with_it <= without,
        detail="; ".join(_rates(off, on))
        + f"; {_wall_s(on):.1f} s, off {_wall_s(off):.1f} s{detail}",
    )


def _rates(off: Sequence[Score], on: Sequence[Score]) -> Iterator[str]:
    for before, after in zip(off, on, strict=True):
        yield f"{after.file} {before.rate:.1f} to {after.rate:.1f} %"


def _figures(one: Score) -> str:
    return f"{one.rate:.2f} % in {one.wall_s:.1f} s"


def _wall_s(scores: Sequence[Score]) -> float:
    return sum(one.wall_s or 0.0 for one in scores)
