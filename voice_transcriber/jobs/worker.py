"""The threads that run jobs: claim, run, and one ladder of endings."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from voice_transcriber import kill_points
from voice_transcriber.errors import (
    CapacityError,
    ClaimLost,
    DiskFull,
    EngineError,
    InternalError,
    NotFound,
    StorageRefuses,
    TranscriberError,
)
from voice_transcriber.job import Claim, Job, JobError, JobStatus, Lane
from voice_transcriber.jobs.backoff import job_delay_s, may_retry
from voice_transcriber.jobs.control import JobControl, JobStopped, StopReason
from voice_transcriber.jobs.runner import JobRun, Workshop, remove_work

log = logging.getLogger(__name__)

EXPRESS_MAX_S = 90.0  # a clip of at most three windows
LAST_WRITES_S = 1.0  # of jobs whose time to drain is over
DISK_WAIT_S = 10.0  # between two looks whether the disk takes what a job writes
MOST_STRAYS = 100  # at one look
IDLE_WAIT_S = 2.0  # a wake-up may be missed, and `run_at` of a retry may come


@dataclass(frozen=True)
class _Attempt:
    job: Job
    claim: Claim
    run: JobRun


@dataclass
class _Place:
    """Of one worker."""

    name: str
    lane: Lane
    thread: threading.Thread | None = None
    attempt: _Attempt | None = None  # what the thread works on; of a dead one, what it left

    @property
    def is_dead(self) -> bool:
        return self.thread is not None and not self.thread.is_alive()


class Workers:
    """All worker threads, and the jobs that they run now."""

    def __init__(self, workshop: Workshop, *, owner: str, main: int, express: int) -> None:
        self._shop = workshop
        self._owner = owner
        lanes = [Lane.MAIN] * main + [Lane.EXPRESS] * express
        self._places = [
            _Place(f"worker-{lane}-{number}", lane) for number, lane in enumerate(lanes, start=1)
        ]
        self._wake = threading.Condition()
        self._controls: dict[str, JobControl] = {}
        self._strays: frozenset[Claim] = frozenset()  # of the last look
        self._stopping = False

    @property
    def running(self) -> list[str]:
        """Ids of the jobs in work."""
        return list(self._controls)

    @property
    def dead(self) -> int:
        """Threads that ended though nobody stopped them."""
        return 0 if self._stopping else sum(place.is_dead for place in self._places)

    def start(self) -> None:
        for place in self._places:
            self._start(place)

    def supervise(self) -> None:
        """Queue the jobs of threads that have died again, and start others in their places; queue
        what runs by the store though no thread has it. To be called every few seconds.
        """
        for place in self._places:
            if place.is_dead and not self._stopping:
                log.error("The thread %s has died and is replaced.", place.name)
                self._put_back(place)
                self._start(place)
        if not self._stopping:
            self._put_back_strays()

    def _start(self, place: _Place) -> None:
        thread = threading.Thread(target=self._work, args=(place,), name=place.name, daemon=True)
        thread.start()
        place.thread = thread

    def _put_back(self, place: _Place) -> None:
        if (left := place.attempt) is None:
            return
        error = InternalError("The thread that ran the job died.")
        try:
            self._retry_or_fail(left, error)
        except (ClaimLost, NotFound):
            log.debug("The job of %s had ended.", place.name)
        place.attempt = None

    def _put_back_strays(self) -> None:
        """A claim is a stray at its second look: its thread may just have begun with it."""
        page = self._shop.store.page(limit=MOST_STRAYS, statuses=[JobStatus.RUNNING])
        strays = frozenset(
            Claim(job_id=job.id, attempt=job.attempt, owner=self._owner)
            for job in page.jobs
            if job.owner == self._owner and job.id not in self._controls
        )
        known, self._strays = self._strays, strays
        for claim in strays & known:
            log.error("Job %s ran by the store, but no thread had it.", claim.job_id)
            with suppress(ClaimLost):
                self._shop.store.release(claim)

    def wake(self) -> None:
        """There may be a job to claim."""
        with self._wake:
            self._wake.notify_all()

    def cancel(self, job_id: str) -> None:
        """Tell a running job that its cancel was requested."""
        if control := self._controls.get(job_id):
            control.cancel()

    def drain(self, *, grace_s: float) -> None:
        """Claim nothing more; running jobs commit what is in work; wait for the threads."""
        self._stopping = True
        for control in list(self._controls.values()):
            control.drain(grace_s=grace_s)
        self.wake()
        deadline = time.monotonic() + grace_s + LAST_WRITES_S
        for place in self._places:
            if place.thread is not None:
                place.thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self, place: _Place) -> None:
        while not self._stopping:
            try:
                job = self._shop.store.claim(
                    lane=place.lane,
                    owner=self._owner,
                    express_max_s=EXPRESS_MAX_S,
                    equals_wait=self._shop.known.is_on,
                )
                if job is None:
                    self._wait()
                else:
                    self._run(place, job)
            except Exception:  # the thread must live on
                log.exception("A worker met an unexpected error.")
                self._wait()

    def _wait(self) -> None:
        with self._wake:
            if not self._stopping:
                self._wake.wait(IDLE_WAIT_S)

    def _run(self, place: _Place, job: Job) -> None:
        kill_points.reached("claimed")
        control = JobControl()
        claim = Claim(job_id=job.id, attempt=job.attempt, owner=self._owner)
        run = JobRun(self._shop, job, claim, control)
        attempt = place.attempt = _Attempt(job, claim, run)
        self._controls[job.id] = control
        performance: Mapping[str, object] = {}
        try:
            self._tell_earlier_wishes(job, control)
            self._run_to_an_end(attempt)
            performance = run.performance()
        except Exception:  # the store refused something (a lock): the job must not stay so
            log.exception("Job %s could not be run, or its end not be stored.", job.id)
            self._give_back(claim)
        finally:
            del self._controls[job.id]
            self._shop.hooks.ended(job, performance)
            self.wake()
        place.attempt = None

    def _tell_earlier_wishes(self, job: Job, control: JobControl) -> None:
        """What was asked for before the control was there."""
        if self._stopping:
            control.drain(grace_s=0)
        if self._shop.store.get(job.id).cancel_requested:
            control.cancel()

    def _give_back(self, claim: Claim) -> None:
        """Queue the job again as soon as the store takes that; at the latest at the next start."""
        while not self._stopping:
            try:
                self._shop.store.release(claim)
            except ClaimLost:
                return
            except TranscriberError:
                self._wait()
            except Exception:
                log.exception("Job %s could not be queued again; that is repeated.", claim.job_id)
                self._wait()
            else:
                return

    def _run_to_an_end(self, attempt: _Attempt) -> None:
        """One branch for each kind of ending; each ends in one conditional update."""
        job, claim, run = attempt.job, attempt.claim, attempt.run
        try:
            self._end(job, run.run)
        except JobStopped as stop:
            if stop.reason is StopReason.USER:
                self._end(job, lambda: self._shop.store.end_cancelled(claim))
            else:
                self._shop.store.release(claim)
        except ClaimLost:
            log.warning("Job %s is run by another attempt; this one is discarded.", job.id)
        except (DiskFull, StorageRefuses) as error:
            self._wait_for_disk(attempt, error)
        except (EngineError, CapacityError) as error:
            self._retry_or_fail(attempt, error)
        except TranscriberError as error:
            self._fail(attempt, error)
        except Exception as error:  # a fault of ours ends the job, not the worker
            log.exception("Job %s met an unexpected error.", job.id)
            self._fail(attempt, InternalError(f"The program made a mistake: {error}"))

    def _retry_or_fail(self, attempt: _Attempt, error: TranscriberError) -> None:
        job, claim = attempt.job, attempt.claim
        failures = 1 if attempt.run.has_progressed else job.failures + 1  # in a row
        if not may_retry(failures):
            self._fail(attempt, error)
            return
        pause_s = job_delay_s(failures, error)
        log.warning("Job %s is tried again in %.0f s: %s", job.id, pause_s, error.message)
        self._shop.store.release(claim, run_at=time.time() + pause_s, failures=failures)

    def _wait_for_disk(self, attempt: _Attempt, error: DiskFull | StorageRefuses) -> None:
        """It was accepted, so it goes on when the disk takes it, however long that lasts."""
        log.warning("Job %s waits for the disk: %s", attempt.job.id, error.message)
        self._shop.store.release(
            attempt.claim, run_at=time.time() + DISK_WAIT_S, waits_for=why_it_waits(error)
        )

    def _fail(self, attempt: _Attempt, error: TranscriberError) -> None:
        job, claim, run = attempt.job, attempt.claim, attempt.run
        log.info("Job %s failed: %s", job.id, error.code)
        shown = JobError(code=error.code, message=error.message, remedy=error.remedy)
        self._end(job, lambda: self._shop.store.fail(claim, shown, run.performance()))

    def _end(self, job: Job, ending: Callable[[], None]) -> None:
        """The job is over: its decoded audio goes when that is committed."""
        ending()
        kill_points.reached("state-done")
        remove_work(self._shop.work_dir, job.id)


def why_it_waits(error: DiskFull | StorageRefuses) -> str:
    """The usual messages are for requests that were refused; this job was accepted."""
    if error.message != type(error)().message:
        return error.message
    if isinstance(error, StorageRefuses):
        return "Waits for the disk that holds the data folder, which refuses to read or write."
    return "Waits for room on the disk that holds the data folder."
