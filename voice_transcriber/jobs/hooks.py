"""What side features hang on: hooks that do nothing by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from voice_transcriber.job import Job

ProcessIds = Callable[[], Mapping[str, int]]  # role (app, engine, decoder) -> process id now


class JobHooks:
    """Called by the worker that runs a job, in its thread. Must not raise."""

    def started(self, job: Job, process_ids: ProcessIds) -> None:
        """An attempt begins."""

    def figures(self, job: Job) -> Mapping[str, Any]:
        """Figures to keep with a job whose attempt is about to end."""
        return {}

    def ended(self, job: Job, performance: Mapping[str, Any]) -> None:
        """The attempt is over; `performance` is what was kept with the job."""


class HookChain(JobHooks):
    """Several hooks as one, called in their order."""

    def __init__(self, *hooks: JobHooks) -> None:
        self._hooks = hooks

    def started(self, job: Job, process_ids: ProcessIds) -> None:
        for hook in self._hooks:
            hook.started(job, process_ids)

    def figures(self, job: Job) -> Mapping[str, Any]:
        return {name: figure for hook in self._hooks for name, figure in hook.figures(job).items()}

    def ended(self, job: Job, performance: Mapping[str, Any]) -> None:
        for hook in self._hooks:
            hook.ended(job, performance)
