"""The report for a terminal: a bar for each recording in work, and one for all."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from voice_transcriber.cli.client import JobView
from voice_transcriber.cli.names import shown
from voice_transcriber.cli.report import (
    failed_lines,
    print_paths,
    skipped_line,
    state_words,
    written_line,
)
from voice_transcriber.errors import TranscriberError
from voice_transcriber.job import JobStatus

NAME_COLUMNS = 32


class BarReport:
    """`with BarReport(total=...)` draws on stderr until the end."""

    def __init__(self, *, total: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            console=Console(stderr=True, highlight=False, markup=False, soft_wrap=True),
            transient=True,
            # what is printed goes above the bars, unless stdout leads elsewhere
            redirect_stdout=sys.stdout.isatty(),
        )
        self._tasks: dict[str, TaskID] = {}
        self._total = total
        self._ended = 0
        self._all = self._progress.add_task("all", total=total, state="", visible=total > 1)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def progress(self, name: str, job: JobView) -> None:
        if job.status is not JobStatus.RUNNING and self._total > 1:
            return  # the waiting ones would fill the screen
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(_short(name), total=100.0, state="")
        self._progress.update(self._tasks[name], completed=job.percent, state=state_words(job))

    def written(self, name: str, job: JobView, paths: Sequence[Path]) -> None:
        self._end(name)
        self.note(written_line(name, job))
        print_paths(paths)

    def failed(self, name: str, error: TranscriberError) -> None:
        self._end(name)
        self.note(failed_lines(name, error))

    def skipped(self, name: str, existing: Path) -> None:
        self._end(name)
        self.note(skipped_line(name, existing))

    def note(self, text: str) -> None:
        self._progress.console.print(text)

    def _end(self, name: str) -> None:
        if name in self._tasks:
            self._progress.remove_task(self._tasks.pop(name))
        self._ended += 1
        self._progress.update(
            self._all, completed=self._ended, state=f"{self._ended} of {self._total} files"
        )


def _short(name: str) -> str:
    text = shown(name)
    return text if len(text) <= NAME_COLUMNS else f"…{text[1 - NAME_COLUMNS :]}"
