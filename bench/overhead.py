"""A 10-minute file through the app, against the same engine called directly on the same windows."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.app import App, clean_environment, running_app
from bench.direct import DirectEngine, DirectReading, direct_engine
from bench.machine import OtherLoad
from bench.recordings import write_repeated
from bench.tables import Bound
from bench.widen import write_widened

LIMIT = 1.1
LENGTH_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Round:
    """Seconds of one pass over the same file on both ways."""

    app_s: float
    direct: DirectReading
    same_text: bool
    timings: Mapping[str, Any]  # the app's own figures of the job

    @property
    def over_windows(self) -> float:
        return self.app_s / self.direct.windows_s

    @property
    def over_all(self) -> float:
        return self.app_s / self.direct.wall_s

    @property
    def over_computing(self) -> float:
        """Core seconds in place of wall seconds; the decoder child is on neither side."""
        cpu_s = self.timings["cpu_s"]
        return float((cpu_s["app"] + cpu_s["engine"]) / self.direct.cpu_s)


def overhead_bounds(
    folder: Path, *, speech: Path, warm_up: Path, size: str, rounds: int
) -> list[Bound]:
    """`size` is demo, or the published size to whose dimensions demo is widened."""
    model = "demo"
    if size != "demo":
        model = f"demo-{size}"
        write_widened(size, folder / "models" / f"{model}.pt")
    recording = write_repeated(speech, folder / f"ten_minutes{speech.suffix}", seconds=LENGTH_S)
    same = clean_environment(folder) | {"DATA_DIR": str(folder / "direct")}
    with running_app(folder) as app, direct_engine(model, **same) as direct:
        found = []
        with OtherLoad() as other:
            _round(app, direct, warm_up, folder / "warm", model)
            for number in range(rounds):
                found.append(_round(app, direct, recording, folder / f"pcm{number}", model))
                print(_round_text(model, found[-1]), flush=True)
    return [
        _bound(
            f"app / engine on the same windows, {model}", [r.over_windows for r in found], other
        ),
        _bound(f"app / decode + plan + engine, {model}", [r.over_all for r in found], other),
        _bound(f"the same in core seconds, {model}", [r.over_computing for r in found], other),
    ]


def _round(app: App, direct: DirectEngine, recording: Path, folder: Path, model: str) -> Round:
    submitted = time.time()
    job = app.wait(app.submit(recording, model=model, language="en"))
    app_s = datetime.fromisoformat(job["finished_at"]).timestamp() - submitted
    found = direct.read(recording, folder, language="en")
    return Round(
        app_s=app_s,
        direct=found,
        same_text=found.text == app.text(job["id"]),
        timings=job["timings"],
    )


def _round_text(model: str, one: Round) -> str:
    timings = {name: one.timings.get(name) for name in ("wall_s", "stages_s", "cpu_s")}
    text = "same text" if one.same_text else "ANOTHER TEXT"
    return (
        f"{model}: app {one.app_s:.1f} s; directly decode {one.direct.decode_s:.1f}, "
        f"plan {one.direct.plan_s:.1f}, {one.direct.windows} windows {one.direct.windows_s:.1f} s, "
        f"computing {one.direct.cpu_s:.1f} s; "
        f"{text}; app's own {timings}"
    )


def _bound(name: str, ratios: Sequence[float], other: OtherLoad) -> Bound:
    ratio = statistics.median(ratios)
    return Bound(
        name=name,
        measured=f"{ratio:.2f}",
        limit=f"<= {LIMIT:.2f}",
        kept=ratio <= LIMIT,
        detail=f"median of {', '.join(f'{one:.2f}' for one in ratios)}; {other}",
    )
