"""MEMORY_OPTIMIZATION: what the engine holds between two jobs, and what the second one pays."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.app import App, running_app
from bench.machine import OtherLoad
from bench.tables import Bound
from bench.timing import call_s
from bench.widen import write_widened

IDLE_S = 12.0  # the app looks every 5 s whether something can be let go
ROUNDS = 3
_LONG, _CLIP = "en_30s.flac", "en_5s.wav"


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """One way of the setting; memory is what ends with the process, without shared pages."""

    idle_mb: float
    second_job_s: float  # median


def memory_bounds(folder: Path, *, audio: Path, size: str) -> list[Bound]:
    """Two models with the dimensions of `size`; one job of each, a pause, then short ones."""
    models = [f"one-{size}", f"two-{size}"]
    for model in models:
        write_widened(size, folder / "models" / f"{model}.pt")
    with OtherLoad() as other:
        off, on = (_kept(folder, audio, models, setting) for setting in ("false", "true"))
    return [
        Bound(
            name=f"engine between jobs, {size} dimensions, on",
            measured=f"{on.idle_mb:.0f} MB",
            limit=f"< {off.idle_mb:.0f} MB, as off",
            kept=on.idle_mb < off.idle_mb,
            detail=f"own memory {IDLE_S:.0f} s after jobs with two models; "
            f"the next short job takes {on.second_job_s:.1f} s, off {off.second_job_s:.1f} s; "
            f"{other}",
        )
    ]


def _kept(folder: Path, audio: Path, models: list[str], setting: str) -> _Kept:
    with running_app(folder, MEMORY_OPTIMIZATION=setting) as app:
        for model in models:
            app.wait(app.submit(audio / _LONG, model=model, language="en"))
        waits_s = []
        for _ in range(ROUNDS):
            time.sleep(IDLE_S)
            idle_mb = _engine(app).memory_full_info().uss / 1e6
            waits_s.append(
                call_s(lambda: app.wait(app.submit(audio / _CLIP, model=models[-1], language="en")))
            )
    return _Kept(idle_mb=idle_mb, second_job_s=statistics.median(waits_s))


def _engine(app: App) -> psutil.Process:
    return next(
        child
        for child in app.process.children()
        if "voice_transcriber.engines.child" in child.cmdline()
    )
