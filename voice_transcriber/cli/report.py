"""What `transcribe` tells while it works: written paths on stdout, all else on stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from voice_transcriber.cli.client import JobView
from voice_transcriber.cli.names import shown
from voice_transcriber.errors import TranscriberError
from voice_transcriber.job import JobStatus, Stage


class Report(Protocol):
    """Names are those of the recordings, as the user gave them."""

    def progress(self, name: str, job: JobView) -> None: ...

    def written(self, name: str, job: JobView, paths: Sequence[Path]) -> None: ...

    def failed(self, name: str, error: TranscriberError) -> None: ...

    def skipped(self, name: str, existing: Path) -> None: ...

    def note(self, text: str) -> None: ...


class LineReport:
    """A line for each ending; for pipes, logs and --quiet."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet

    def progress(self, name: str, job: JobView) -> None:
        return

    def written(self, name: str, job: JobView, paths: Sequence[Path]) -> None:
        self.note(written_line(name, job))
        print_paths(paths)

    def failed(self, name: str, error: TranscriberError) -> None:
        print(failed_lines(name, error), file=sys.stderr, flush=True)

    def skipped(self, name: str, existing: Path) -> None:
        self.note(skipped_line(name, existing))

    def note(self, text: str) -> None:
        if not self._quiet:
            print(text, file=sys.stderr, flush=True)


def print_paths(paths: Sequence[Path]) -> None:
    for path in paths:
        print(path, flush=True)


def written_line(name: str, job: JobView) -> str:
    wall_s = job.performance.get("wall_s")
    audio = "" if job.duration_s is None else f"{clock(job.duration_s)} of audio"
    return f"{shown(name)}: {audio}" + ("" if wall_s is None else f" in {wall_s:.1f} s")


def failed_lines(name: str, error: TranscriberError) -> str:
    return f"{shown(name)}: {error.message}\n  {error.remedy}"


def skipped_line(name: str, existing: Path) -> str:
    return f"{shown(name)}: skipped, {shown(str(existing))} exists (--force replaces it)"


def state_words(job: JobView) -> str:
    """What a job does now, such as "loading model" or "failed"."""
    if job.status is not JobStatus.RUNNING:
        return job.status.value
    words = job.stage.value.replace("_", " ")
    if job.stage is Stage.DOWNLOADING_MODEL and job.stage_percent is not None:
        return f"{words} {job.stage_percent:.0f} %"
    return words


def clock(seconds: float) -> str:
    """`0:05`, `12:30`, `1:02:03`."""
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02d}:{s:02d}" if hours else f"{m}:{s:02d}"
