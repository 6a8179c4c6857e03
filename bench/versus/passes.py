"""One pass of a contender: in a process of its own, or through our server."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from bench.app import PROJECT, App, running_app
from bench.recordings import Recording, length_s
from bench.versus.contenders import (
    BARE,
    BATCHED,
    FASTER,
    OURS,
    SERVICE,
    WHISPER,
    WHISPER_CPP,
    Contender,
)
from bench.versus.models import Models
from bench.versus.programs import Order
from bench.versus.watching import TreeMemory

LANGUAGE = "en"
EXPRESS_CLIPS = 5
_BETWEEN_CLIPS_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What all passes share."""

    models: Models
    threads: int
    clip: Path  # warms a program, and is what an urgent job is about

    def model(self, kind: str) -> str:
        """In the form of the contender; made now where it is not there."""
        checkpoint = self.models.checkpoint
        if kind in (OURS, SERVICE, BARE):
            return self.models.name
        if kind in (FASTER, *BATCHED):
            return str(self.models.ctranslate2())
        if kind in WHISPER_CPP:
            return str(self.models.ggml(quantized=kind == WHISPER_CPP[1]))
        assert kind == WHISPER
        return str(checkpoint)


@dataclass(frozen=True, kw_only=True)
class Task:
    contender: Contender
    beam: int
    recordings: Sequence[Recording]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    wall_s: float
    texts: Sequence[str]  # of the recordings; empty where nobody looks at them
    peak_mb: float = 0.0
    engine_mb: float | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    audio_s: float | None = None  # that `wall_s` is for, where it is not all of the recordings


Pass = Callable[[Setup, Task], Outcome]


def prepare(setup: Setup, settings: Mapping[str, str]) -> None:
    """Have our engine convert the model and choose what it computes with, as it does once."""
    ours = Contender(name=OURS, kind=OURS, settings=settings)
    in_own_process(setup, Task(contender=ours, beam=5, recordings=()))


def in_own_process(setup: Setup, task: Task) -> Outcome:
    """From the files to their texts; the program is loaded and has read a clip before."""
    kind = task.contender.kind
    order = Order(
        kind=kind,
        model=setup.model(kind),
        beam=task.beam,
        threads=setup.threads,
        language=LANGUAGE,
        settings=_settings(setup, task) if task.contender.is_ours else {},
    )
    asked = {
        "order": asdict(order),
        "clip": str(setup.clip),
        "files": [str(one.path) for one in task.recordings],
    }
    with (
        subprocess.Popen(
            [sys.executable, "-m", "bench.versus.worker"],
            cwd=PROJECT,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
        TreeMemory(psutil.Process(process.pid)) as memory,
    ):
        output, _ = process.communicate(json.dumps(asked) + "\n")
    if process.returncode:
        raise SystemExit(f"{task.contender.name} ended with status {process.returncode}.")
    answer = json.loads(output)
    return Outcome(
        wall_s=answer["wall_s"],
        texts=answer["texts"],
        peak_mb=memory.peak_mb,
        engine_mb=memory.engine_mb,
        seconds={"ready_s": answer["ready_s"], **answer["seconds"]},
    )


def over_http(setup: Setup, task: Task) -> Outcome:
    """All files submitted at once, from the first upload to the end of the last job."""

    def work(app: App) -> Outcome:
        started = time.time()
        submitted = [_submit(setup, app, one.path) for one in task.recordings]
        uploaded = time.time()
        jobs = [app.wait(job_id) for job_id in submitted]
        wall_s = max(map(_finished, jobs)) - started
        return Outcome(
            wall_s=wall_s,
            texts=[app.text(job_id) for job_id in submitted],
            seconds={"upload_s": uploaded - started},
        )

    return _served(setup, task, work)


def urgent_clips(setup: Setup, task: Task) -> Outcome:
    """A clip on the idle server, and high-priority ones while a long file runs."""

    clip_length_s = length_s(setup.clip)

    def work(app: App) -> Outcome:
        idle_s = [_clip_s(setup, app) for _ in range(EXPRESS_CLIPS)]
        (long_file,) = task.recordings
        long_job = _submit(setup, app, long_file.path)
        while app.job(long_job)["percent"] == 0:
            time.sleep(0.1)
        busy_s = []
        for _ in range(EXPRESS_CLIPS):
            time.sleep(_BETWEEN_CLIPS_S)
            busy_s.append(_clip_s(setup, app, priority="high"))
        if app.job(long_job)["status"] != "running":
            raise SystemExit(f"{long_file.name} ended before the last urgent clip did.")
        app.cancel_all()
        return Outcome(
            wall_s=statistics.median(busy_s),
            texts=(),
            seconds={
                "idle_s": statistics.median(idle_s),
                "busy_s": statistics.median(busy_s),
                "busy_longest_s": max(busy_s),
            },
            audio_s=clip_length_s,
        )

    return _served(setup, task, work)


def _served(setup: Setup, task: Task, work: Callable[[App], Outcome]) -> Outcome:
    settings = _settings(setup, task)
    with (
        tempfile.TemporaryDirectory(prefix="voice-transcriber-bench-") as folder,
        running_app(Path(folder), **settings) as app,
        TreeMemory(app.process) as memory,
    ):
        app.wait(_submit(setup, app, setup.clip))
        found = work(app)
    return replace(found, peak_mb=memory.peak_mb, engine_mb=memory.engine_mb)


def _settings(setup: Setup, task: Task) -> dict[str, str]:
    return {
        "WHISPER_MODEL_DIR": str(setup.models.folder),
        "ENGINE_THREADS": str(setup.threads),
        "BEAM_SIZE": str(task.beam),
        "OFFLINE": "true",
        **task.contender.settings,
    }


def _environment() -> dict[str, str]:
    """As a user of the program has it: how threads wait is left to each program."""
    return {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}


def _submit(setup: Setup, app: App, path: Path, **fields: str) -> str:
    return app.submit(path, model=setup.model(SERVICE), language=LANGUAGE, **fields)


def _clip_s(setup: Setup, app: App, **fields: str) -> float:
    started = time.time()
    return _finished(app.wait(_submit(setup, app, setup.clip, **fields))) - started


def _finished(job: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(job["finished_at"]).timestamp()
