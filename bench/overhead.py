"""A 10-minute file through the app, against the same engine called directly on the same windows."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.app import PROJECT, App, running_app
from bench.machine import OtherLoad
from bench.recordings import write_repeated
from bench.tables import Bound
from bench.widen import write_widened
from voice_transcriber.audio.decode import Decoder
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.processes.spawn import Spawner
from voice_transcriber.settings import Settings

LIMIT = 1.1
LENGTH_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Round:
    """Seconds of one pass over the same file on both ways."""

    app_s: float
    decode_s: float
    plan_s: float
    windows_s: float
    windows: int
    direct_cpu_s: float  # of plan and windows
    same_text: bool
    timings: Mapping[str, Any]  # the app's own figures of the job

    @property
    def over_windows(self) -> float:
        return self.app_s / self.windows_s

    @property
    def over_all(self) -> float:
        return self.app_s / (self.decode_s + self.plan_s + self.windows_s)

    @property
    def over_computing(self) -> float:
        """Core seconds in place of wall seconds; the decoder child is on neither side."""
        cpu_s = self.timings["cpu_s"]
        return float((cpu_s["app"] + cpu_s["engine"]) / self.direct_cpu_s)


def overhead_bounds(
    folder: Path, *, speech: Path, warm_up: Path, size: str, rounds: int
) -> list[Bound]:
    """`size` is demo, or the published size to whose dimensions demo is widened."""
    checkpoint = DEMO_FILE
    model = "demo"
    if size != "demo":
        model = f"demo-{size}"
        checkpoint = write_widened(size, folder / "models" / f"{model}.pt")
    recording = write_repeated(speech, folder / f"ten_minutes{speech.suffix}", seconds=LENGTH_S)
    with running_app(folder) as app, _direct(checkpoint) as direct:
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


class _Direct:
    """The warm process of bench.direct."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def transcribe(self, pcm: Path, language: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"pcm": str(pcm), "language": language}), file=self._process.stdin)
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


@contextmanager
def _direct(checkpoint: Path) -> Iterator[_Direct]:
    defaults = Settings.from_mapping({})
    arguments = [str(checkpoint), str(defaults.batch_size), str(defaults.audio_chunk_size_s)]
    with subprocess.Popen(
        [sys.executable, "-m", "bench.direct", *arguments],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield _Direct(process)


def _round(app: App, direct: _Direct, recording: Path, folder: Path, model: str) -> Round:
    submitted = time.time()
    job = app.wait(app.submit(recording, model=model, language="en"))
    app_s = datetime.fromisoformat(job["finished_at"]).timestamp() - submitted
    started = time.monotonic()
    pcm = _decoded(recording, folder)
    decode_s = time.monotonic() - started
    found = direct.transcribe(pcm, "en")
    transcript = app.web.get(f"/api/v1/jobs/{job['id']}/transcript.json").json()
    return Round(
        app_s=app_s,
        decode_s=decode_s,
        plan_s=found["plan_s"],
        windows_s=found["windows_s"],
        windows=found["windows"],
        direct_cpu_s=found["cpu_s"],
        same_text=found["text"] == transcript["text"],
        timings=job["timings"],
    )


def _decoded(recording: Path, folder: Path) -> Path:
    spawner = Spawner()
    decoding = Decoder(spawner, max_duration_s=2 * LENGTH_S).start(recording, folder)
    while not decoding.finished:
        decoding.wait(sys.maxsize, timeout_s=1.0)
    spawner.stop()
    return decoding.pcm.absolute()


def _round_text(model: str, one: Round) -> str:
    timings = {name: one.timings.get(name) for name in ("wall_s", "stages_s", "cpu_s")}
    text = "same text" if one.same_text else "ANOTHER TEXT"
    return (
        f"{model}: app {one.app_s:.1f} s; directly decode {one.decode_s:.1f}, plan "
        f"{one.plan_s:.1f}, {one.windows} windows {one.windows_s:.1f} s, "
        f"computing {one.direct_cpu_s:.1f} s; "
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
