"""Whether a running instance can do its work, and what somebody may want to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voice_transcriber.engines.speech import SpeechEngine
from voice_transcriber.errors import DiskFull
from voice_transcriber.job import JobStatus
from voice_transcriber.jobs.finished_files import FinishedFiles
from voice_transcriber.jobs.manager import JobManager
from voice_transcriber.jobs.recovery import Recovered
from voice_transcriber.jobs.supervisor import Supervisor
from voice_transcriber.opening import OpenedStore
from voice_transcriber.settings import Settings
from voice_transcriber.store.backups import Backups, made_at


@dataclass(frozen=True, kw_only=True)
class Health:
    """Whether the server can do its work, and if not, why."""

    ready: bool
    problems: Sequence[str]
    details: Mapping[str, Any] = field(default_factory=dict)


class HealthCheck:
    """Asks the parts of one instance. Called from any thread."""

    def __init__(
        self,
        *,
        settings: Settings,
        opened: OpenedStore,
        backups: Backups,
        engine: SpeechEngine,
        manager: JobManager,
        supervisor: Supervisor,
        finished_files: FinishedFiles | None,
        recovered: Callable[[], Recovered | None],
    ) -> None:
        """`recovered` tells what the start brought back, once it has."""
        self._settings = settings
        self._opened = opened
        self._backups = backups
        self._engine = engine
        self._manager = manager
        self._supervisor = supervisor
        self._finished_files = finished_files
        self._recovered = recovered

    def look(self) -> Health:
        """Cheap enough to be asked every second."""
        problems = self._problems()
        counts = self._opened.store.counts()
        engine, files = self._engine, self._finished_files
        return Health(
            ready=not problems,
            problems=problems,
            details={
                "instance": self._settings.instance_id,
                "queued": counts[JobStatus.QUEUED],
                "running": counts[JobStatus.RUNNING],
                "engine": {
                    "name": self._settings.engine,
                    "running": engine.is_running,
                    "starts": engine.starts,
                    "models": [str(key) for key in engine.models],
                },
                "warnings": self._warnings(counts[JobStatus.QUEUED]),
                "database": self._database(),
                "finished_files": files.problem if files else None,
            },
        )

    def _problems(self) -> Sequence[str]:
        problems = []
        if self._manager.is_draining:
            problems.append("The server is shutting down.")
        if damage := self._opened.store.problem:
            problems.append(f"{damage} Restart the server to repair it.")
        if not self._manager.is_draining:
            problems += self._supervisor.problems
        if trouble := self._engine.problem:
            problems.append(trouble)
        try:
            self._manager.check_disk()
        except DiskFull as full:
            problems.append(full.message)
        return problems

    def _warnings(self, queued: int) -> Sequence[str]:
        """What somebody may want to look at, though the server does its work."""
        happened = (self._engine.warning, self._repair, self._brought_back)
        found = [warning for warning in happened if warning]
        if queued >= self._settings.max_queue_size:
            found.append("The queue is full: nothing is accepted until a job has ended.")
        return found

    def _database(self) -> Mapping[str, Any]:
        """What happened to it at the start, and how old its newest backup is."""
        newest = self._backups.all()[:1]
        return {
            "newest_backup": made_at(newest[0]).isoformat() if newest else None,
            "repair": self._repair,
            "brought_back": self._brought_back,
        }

    @property
    def _repair(self) -> str | None:
        return self._opened.repair.text if self._opened.repair else None

    @property
    def _brought_back(self) -> str | None:
        recovered = self._recovered()
        return recovered.text if recovered else None
