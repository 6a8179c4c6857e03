"""`bench`: how fast each model is on this machine, through the whole pipeline."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from voice_transcriber.cli.exits import EXIT_OK
from voice_transcriber.cli.profiling import EngineProfile
from voice_transcriber.cli.tables import size_text, table
from voice_transcriber.cli.workplace import temporary_services, wait_for
from voice_transcriber.errors import InvalidRequest
from voice_transcriber.job import Job, TranscribeOptions
from voice_transcriber.services import Services
from voice_transcriber.settings import Settings, cpu_threads

TOP_FUNCTIONS = 20


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What the measured runs of one model took."""

    model: str
    audio_s: float
    real_time_factors: Sequence[float]  # seconds of work for a second of audio
    cpu_percent: float  # mean of the runs; 100 is one core
    peak_memory_bytes: int  # sum of the peaks of the processes

    @property
    def median(self) -> float:
        return statistics.median(self.real_time_factors)


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Raises InvalidRequest, UnknownModel, and what a job ended with."""
    path = None if arguments.file is None else Path(arguments.file)
    if path is not None and not path.is_file():
        raise InvalidRequest(f"There is no file {path}.", remedy="Correct the path.")
    if arguments.profile:
        settings = replace(settings, engine_isolation="thread")
    profiling = EngineProfile() if arguments.profile else nullcontext()
    with profiling as profile, temporary_services(settings) as services:
        services.start()
        bench = Bench(services, path or services.sample, profile=profile)
        for name in _models(services, arguments.models):
            bench.measure(name, runs=arguments.iterations, warm_up=arguments.warm_up)
    _print(bench.figures, settings, as_json=arguments.json)
    for model, functions in bench.profiles.items():
        print(f"\n{model}: {functions}", file=sys.stderr if arguments.json else sys.stdout)
    return EXIT_OK


def _models(services: Services, wanted: Sequence[str]) -> Sequence[str]:
    """The wanted ones, else those that are on this machine. Raises UnknownModel."""
    for name in wanted:
        services.models.resolve(name)
    return wanted or [model.name for model in services.models.catalogue() if model.present]


class Bench:
    """Runs one recording as job after job."""

    def __init__(self, services: Services, path: Path, *, profile: EngineProfile | None) -> None:
        self._services = services
        self._path = path
        self._profile = profile
        self.figures: list[Figures] = []
        self.profiles: dict[str, str] = {}  # model -> its top functions

    def measure(self, model: str, *, runs: int, warm_up: int) -> None:
        """Raises what a job ended with."""
        for number in range(warm_up):
            self._run(model, f"warm-up {number + 1} of {warm_up}")
        if self._profile is not None:
            self._profile.clear()
        jobs = [self._run(model, f"run {number + 1} of {runs}") for number in range(runs)]
        if self._profile is not None:
            self.profiles[model] = self._profile.top(TOP_FUNCTIONS)
        self.figures.append(_figures(model, jobs))

    def _run(self, model: str, what: str) -> Job:
        print(f"{model}: {what}", file=sys.stderr, flush=True)
        manager = self._services.manager
        options = TranscribeOptions(model=model, use_cache=False)
        job = wait_for(self._services, manager.submit_file(self._path, options=options).id)
        manager.delete(job.id)
        return job


def _figures(model: str, jobs: Sequence[Job]) -> Figures:
    taken = [job.performance for job in jobs]
    return Figures(
        model=model,
        audio_s=taken[0]["audio_s"],
        real_time_factors=[one["real_time_factor"] for one in taken],
        cpu_percent=statistics.mean(one["cpu_percent"] for one in taken),
        peak_memory_bytes=max(sum(one["peak_memory_bytes"].values()) for one in taken),
    )


def _print(figures: Sequence[Figures], settings: Settings, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(one) for one in figures], indent=2))
        return
    threads = cpu_threads(settings.engine_threads)
    print(f"{platform.machine()}, {threads} engine threads, engine {settings.engine}\n")
    rows = [
        [
            one.model,
            f"{one.audio_s:.1f} s",
            f"{one.median:.3f} ({min(one.real_time_factors):.3f}-{max(one.real_time_factors):.3f})",
            f"{1 / one.median:.1f} x" if one.median else "",
            f"{one.cpu_percent:.0f} %",
            size_text(one.peak_memory_bytes),
        ]
        for one in figures
    ]
    print(table(["MODEL", "AUDIO", "REAL-TIME FACTOR", "SPEED", "CPU", "PEAK MEMORY"], rows))
