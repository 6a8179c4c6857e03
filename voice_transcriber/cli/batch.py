"""Many recordings as jobs: submitted as there is room, followed, written, taken off the list."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from voice_transcriber.cli.client import JobsClient, JobView
from voice_transcriber.cli.outputs import Work, write_output
from voice_transcriber.cli.report import Report
from voice_transcriber.errors import (
    InvalidRequest,
    ModelError,
    NotFound,
    QueueFull,
    TranscriberError,
    UserError,
    WrongState,
    error_from_code,
)
from voice_transcriber.job import JobStatus, Priority, TranscribeOptions

MAX_AHEAD = 20  # jobs at a time: keeps every worker busy, and copies few files before their turn
POLL_S = 0.25
FULL_QUEUE_WAIT_S = 2.0
CANCEL_WAIT_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Summary:
    """How many recordings ended how, and the seconds of audio that were transcribed."""

    written: int = 0
    failed: int = 0
    skipped: int = 0
    audio_s: float = 0.0


class Batch:
    """One run of `transcribe`."""

    def __init__(
        self,
        client: JobsClient,
        report: Report,
        *,
        options: TranscribeOptions,
        priority: Priority,
        force: bool,
        keep: bool,
    ) -> None:
        self._client = client
        self._report = report
        self._options = options
        self._priority = priority
        self._force = force
        self._keep = keep
        self._waiting: deque[Work] = deque()
        self._live: dict[str, Work] = {}
        self._full_until = 0.0
        self.summary = Summary()

    def run(self, works: Sequence[Work]) -> None:
        """Raises ShuttingDown when the server goes away; `cancel` after KeyboardInterrupt."""
        self._waiting.extend(works)
        while self._waiting or self._live:
            self._submit_next()
            self._follow()
            if self._live or self._waiting:
                time.sleep(POLL_S if self._has_enough() else 0)

    def cancel(self) -> None:
        """End the jobs that are not finished, and take them off the list unless they are kept."""
        for job_id in self._live:
            with suppress(NotFound, WrongState):
                self._client.cancel(job_id)
        deadline = time.monotonic() + CANCEL_WAIT_S
        while not self._keep and self._live and time.monotonic() < deadline:
            for job_id in list(self._live):
                if self._is_removed(job_id):
                    del self._live[job_id]
            time.sleep(POLL_S)

    def _is_removed(self, job_id: str) -> bool:
        try:
            return self._client.delete(job_id)
        except (NotFound, WrongState):
            return True

    def _has_enough(self) -> bool:
        """Nothing can be submitted now."""
        full = time.monotonic() < self._full_until
        return not self._waiting or full or len(self._live) >= MAX_AHEAD

    def _submit_next(self) -> None:
        if self._has_enough():
            return
        work = self._waiting.popleft()
        existing = [path for path in work.targets.values() if path.exists()]
        if not self._force and len(existing) == len(work.targets):
            self._report.skipped(str(work.recording.path), existing[0])
            self.summary = replace(self.summary, skipped=self.summary.skipped + 1)
            return
        try:
            job = self._client.submit(
                work.recording.path, options=self._options, priority=self._priority
            )
        except QueueFull:
            self._wait_for_room(work)
        except OSError as error:
            self._fail(work, InvalidRequest(f"It cannot be read: {error.strerror or error}."))
        except TranscriberError as error:
            self._fail(work, error)
        else:
            self._live[job.id] = work

    def _wait_for_room(self, work: Work) -> None:
        if not self._full_until:
            self._report.note("The queue is full; going on as soon as there is room.")
        self._waiting.appendleft(work)
        self._full_until = time.monotonic() + FULL_QUEUE_WAIT_S

    def _follow(self) -> None:
        if not self._live:
            return
        jobs = self._client.look(list(self._live))
        for job_id, work in list(self._live.items()):
            job = jobs.get(job_id)
            if job is not None and job.is_live:
                self._report.progress(str(work.recording.path), job)
                continue
            del self._live[job_id]
            if job is None:
                self._fail(work, NotFound("Its job was deleted.", remedy="Transcribe it again."))
            elif job.status is JobStatus.COMPLETED:
                self._write(work, job)
            else:
                self._end_unfinished(work, job)

    def _write(self, work: Work, job: JobView) -> None:
        targets = work.targets if self._force else work.missing
        try:
            for name, path in targets.items():
                write_output(path, self._client.transcript(job.id, name), replace=self._force)
        except OSError as error:
            where = f"jobs show {job.id} --format txt"
            self._fail(
                work,
                InvalidRequest(
                    f"The transcript cannot be written: {error}.",
                    remedy=f"It is kept as job {job.id}; `{where}` prints it.",
                ),
            )
            return
        self._report.written(str(work.recording.path), job, list(targets.values()))
        self.summary = replace(
            self.summary,
            written=self.summary.written + 1,
            audio_s=self.summary.audio_s + (job.duration_s or 0.0),
        )
        self._remove(job)

    def _end_unfinished(self, work: Work, job: JobView) -> None:
        if job.error is None:
            self._fail(work, WrongState("Its job was cancelled.", remedy="Transcribe it again."))
            self._remove(job)
            return
        error = error_from_code(job.error.code, job.error.message, job.error.remedy)
        if isinstance(error, UserError | ModelError):  # a retry of the same would fail the same
            self._remove(job)
        else:
            error.remedy += f" `jobs retry {job.id}` goes on with what is finished of it."
        self._fail(work, error)

    def _remove(self, job: JobView) -> None:
        if not self._keep:
            with suppress(NotFound, WrongState):  # somebody else was faster
                self._client.delete(job.id)

    def _fail(self, work: Work, error: TranscriberError) -> None:
        self._report.failed(str(work.recording.path), error)
        self.summary = replace(self.summary, failed=self.summary.failed + 1)
