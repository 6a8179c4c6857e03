"""The store's contract. One contract suite (tests/contract/test_store.py) holds for every adapter.

Methods may be called from any thread. Methods that take a Claim are fenced: they
change nothing and raise ClaimLost when the claim is no longer the job's current
one (another attempt runs it, it was cancelled, deleted or reclaimed).
Every change of a job gives it the next revision.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from voice_transcriber.job import (
    Chunk,
    Claim,
    Job,
    JobError,
    JobStatus,
    Lane,
    NewJob,
    Priority,
    Stage,
    Window,
)
from voice_transcriber.store.audit import AuditStore
from voice_transcriber.store.recovery import RecoveryStore
from voice_transcriber.store.results import ResultNotes, ResultStore
from voice_transcriber.store.submissions import SubmissionStore
from voice_transcriber.submission import Once
from voice_transcriber.transcript.model import Segment, Transcript

LONGEST_DELAY_S = 600.0  # `run_at` beyond it is of a clock that was wrong: the job is due
AGING_S = 1800.0  # a job that has waited so long in the queue counts as Priority.HIGH


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """A page of the list, newest first."""

    jobs: Sequence[Job]
    next_cursor: int | None  # pass as `before_seq` for the next page
    total: int  # jobs that match the filter, on all pages


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What happened after a revision."""

    revision: int  # pass as `since` the next time
    jobs: Sequence[Job]  # changed or new, oldest change first
    deleted: Sequence[str]
    reset: bool  # True: `since` is too old or unknown, load the list anew


@dataclass(frozen=True, kw_only=True)
class WindowResult:
    """What one window gave; committed with the windows that follow from it."""

    window: Window
    segments: Sequence[Segment]  # times in the file
    follow_up: Window | None  # what the model left out at the window's end


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The figures that a running job shows."""

    stage: Stage
    percent: float
    stage_percent: float | None = None
    text_tail: str = ""
    ends_at: float | None = None  # when the job will probably be done, Unix seconds


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that is committed of a job's work. Windows in time order."""

    chunks: Sequence[Chunk]
    windows: Sequence[Window]
    segments: Mapping[int, Sequence[Segment]]  # start_sample of a DONE window -> its segments


class Store(ResultStore, RecoveryStore, SubmissionStore, AuditStore, Protocol):
    """Where jobs live."""

    @property
    def revision(self) -> int:
        """The newest revision, from memory: no I/O, no lock held."""
        ...

    def close(self) -> None: ...

    def answers(self, *, timeout_s: float) -> bool:
        """Whether a change would be taken up within so long: who writes is alive, and not stuck."""
        ...

    # For clients

    def add(
        self,
        new: NewJob,
        *,
        max_queued: int,
        max_of_submitter: int | None = None,
        once: Once | None = None,
    ) -> Job:
        """Accept a job durably, or tell the one that the same submission made before (`once`).

        Raises QueueFull when `max_queued` jobs are queued already, TooManyQueued when so many of
        its submitter are, KeyReused, and NotFound when the job or the upload of `once` is gone.
        """
        ...

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        ...

    def page(
        self,
        *,
        limit: int,
        before_seq: int | None = None,
        statuses: Collection[JobStatus] = (),
        search: str = "",
        blob_sha256: str | None = None,
    ) -> JobPage:
        """Jobs, newest first; `search` is a literal part of the file name, case ignored."""
        ...

    def changes(self, *, since: int, limit: int) -> Changes: ...

    def queue_order(self, *, limit: int) -> Sequence[str]:
        """Ids of the queued jobs in the order in which they will be claimed."""
        ...

    def counts(self) -> Mapping[JobStatus, int]:
        """Number of jobs by status; every status is a key."""
        ...

    def speeds(self) -> Mapping[str, float]:
        """Seconds of work for a second of audio, over all audio of the newest completed jobs, by
        model; a model that has completed none is no key.
        """
        ...

    def set_priority(self, job_id: str, priority: Priority) -> Job:
        """Raises NotFound, or WrongState when the job no longer waits."""
        ...

    def cancel(self, job_id: str) -> Job:
        """Queued: cancelled at once. Running: `cancel_requested` is set and the runner ends it.

        Raises NotFound, or WrongState when the job has ended.
        """
        ...

    def retry(self, job_id: str, *, max_queued: int, max_of_submitter: int | None = None) -> Job:
        """Put a failed or cancelled job back into the queue; its finished windows are kept,
        failed ones become pending, counters of windows and chunks start anew.

        Raises NotFound, WrongState, QueueFull, and TooManyQueued when `max_of_submitter` jobs of
        its submitter wait already.
        """
        ...

    def delete(self, job_id: str) -> Job:
        """Remove a job that has ended, with all its rows. Raises NotFound, WrongState."""
        ...

    def transcript(self, job_id: str) -> Transcript:
        """Raises NotFound, or WrongState when the job has none (not completed)."""
        ...

    # For workers

    def claim(
        self, *, lane: Lane, owner: str, express_max_s: float, equals_wait: bool = False
    ) -> Job | None:
        """Take the next queued job whose `run_at` has come, or None.

        Order: priority, then first come; a job that has waited AGING_S counts as HIGH.
        Lane.EXPRESS takes only jobs known to last at most `express_max_s`, and jobs of a
        higher priority than every running job (none when nothing runs).
        `equals_wait`: a job is left queued while another one of no lower priority runs that asks
        for the same of the same recording, unless it is to be computed anew.
        """
        ...

    def next_unprobed(self, *, skip: Collection[str], older_than_s: float) -> Job | None:
        """The first queued job, in claim order, whose duration is unknown, that was accepted
        so long ago and whose id is not in `skip`.
        """
        ...

    def set_probe(self, job_id: str, *, duration_s: float) -> bool:
        """Note the duration of a job that is still queued; False when it no longer is."""
        ...

    def fail_queued(self, job_id: str, error: JobError) -> bool:
        """Fail a job that is still queued; False when it no longer is."""
        ...

    def reclaim(self, *, owner: str) -> int:
        """Queue every running job of another owner again (its process is dead).

        A job with `cancel_requested` becomes cancelled. Returns the number of jobs.
        """
        ...

    def progress(self, claim: Claim, progress: Progress) -> None: ...

    def set_duration(self, claim: Claim, *, duration_s: float) -> None: ...

    def set_language(self, claim: Claim, *, language: str, probability: float | None) -> None: ...

    def add_chunk(
        self,
        claim: Claim,
        chunk: Chunk,
        windows: Sequence[Window],
        *,
        done: Sequence[WindowResult] = (),
    ) -> None:
        """Commit a chunk with its windows, and with others that are finished already. One whose
        plan is committed already is a programming error; one without a plan is replaced.
        """
        ...

    def finish_windows(
        self, claim: Claim, results: Sequence[WindowResult], progress: Progress
    ) -> None:
        """Commit results, their follow-up windows and the progress in one transaction."""
        ...

    def set_failures(self, claim: Claim, chunk: Chunk, *, failed: Sequence[Window] = ()) -> None:
        """Commit a committed chunk's failures and its error; the windows named become FAILED.
        They are pending.
        """
        ...

    def count_window_crash(self, claim: Claim, window: Window, *, max_crashes: int) -> Window:
        """Add one crash; at `max_crashes` the window becomes FAILED.

        Returns the window as stored.
        """
        ...

    def plan(self, job_id: str) -> Plan: ...

    def release(
        self,
        claim: Claim,
        *,
        run_at: float = 0.0,
        failures: int | None = None,
        waits_for: str | None = None,
    ) -> None:
        """Put a running job back into the queue, to be claimed from `run_at` on, at most
        LONGEST_DELAY_S ahead; `failures` is their number from now on (None: as before), `waits_for`
        a sentence for people, which counts until the next claim.

        A job with `cancel_requested` becomes cancelled instead.
        """
        ...

    def complete(
        self,
        claim: Claim,
        transcript: Transcript,
        performance: Mapping[str, Any],
        notes: ResultNotes | None = None,
    ) -> None:
        """Store the one transcript, and what later jobs may use, and end the job; its windows are
        no longer needed.
        """
        ...

    def fail(self, claim: Claim, error: JobError, performance: Mapping[str, Any]) -> None: ...

    def end_cancelled(self, claim: Claim) -> None: ...

    # For housekeeping

    def blobs_in_use(self) -> Collection[str]:
        """SHA-256 of every blob that a job needs, or an upload that has no job yet."""
        ...

    def live_ids(self) -> Collection[str]:
        """Ids of queued and running jobs."""
        ...

    def models_in_use(self) -> Collection[str]:
        """Names of the models that queued and running jobs ask for."""
        ...

    def finished_before(self, *, finished_before: float, limit: int) -> Sequence[Job]:
        """Ended jobs older than a Unix time, oldest first (retention)."""
        ...
