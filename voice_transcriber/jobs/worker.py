"""The threads that run jobs: claim, run, and one ladder of endings."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from voice_transcriber.errors import (
    CapacityError,
    ClaimLost,
    EngineError,
    InternalError,
    TranscriberError,
)
from voice_transcriber.job import Claim, Job, JobError, Lane
from voice_transcriber.jobs.backoff import delay_s, may_retry
from voice_transcriber.jobs.control import JobControl, JobStopped, StopReason
from voice_transcriber.jobs.runner import JobRun, Workshop, remove_work

log = logging.getLogger(__name__)

EXPRESS_MAX_S = 90.0  # a clip of at most three windows
IDLE_WAIT_S = 2.0  # a wake-up may be missed, and `run_at` of a retry may come


class Workers:
    """All worker threads, and the jobs that they run now."""

    def __init__(self, workshop: Workshop, *, owner: str, main: int, express: int) -> None:
        self._shop = workshop
        self._owner = owner
        self._lanes = [Lane.MAIN] * main + [Lane.EXPRESS] * express
        self._threads: list[threading.Thread] = []
        self._wake = threading.Condition()
        self._controls: dict[str, JobControl] = {}
        self._stopping = False

    @property
    def running(self) -> list[str]:
        """Ids of the jobs in work."""
        return list(self._controls)

    @property
    def dead(self) -> int:
        """Threads that ended though nobody stopped them."""
        return 0 if self._stopping else sum(not thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        for number, lane in enumerate(self._lanes, start=1):
            thread = threading.Thread(
                target=self._work, args=(lane,), name=f"worker-{lane}-{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

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
        deadline = time.monotonic() + grace_s + 2
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self, lane: Lane) -> None:
        while not self._stopping:
            try:
                job = self._shop.store.claim(
                    lane=lane,
                    owner=self._owner,
                    express_max_s=EXPRESS_MAX_S,
                    equals_wait=self._shop.known.is_on,
                )
                if job is None:
                    self._wait()
                else:
                    self._run(job)
            except Exception:  # the thread must live on
                log.exception("A worker met an unexpected error.")
                self._wait()

    def _wait(self) -> None:
        with self._wake:
            if not self._stopping:
                self._wake.wait(IDLE_WAIT_S)

    def _run(self, job: Job) -> None:
        control = JobControl()
        self._controls[job.id] = control
        if self._stopping:
            control.drain(grace_s=0)
        if self._shop.store.get(job.id).cancel_requested:  # asked before the control was there
            control.cancel()
        claim = Claim(job_id=job.id, attempt=job.attempt, owner=self._owner)
        run = JobRun(self._shop, job, claim, control)
        performance: Mapping[str, object] = {}
        try:
            self._run_to_an_end(run, job, claim)
            performance = run.performance()
        except Exception:  # the store refused the ending (a full disk): the job must not stay so
            log.exception("The end of job %s could not be stored.", job.id)
            self._give_back(claim)
        finally:
            del self._controls[job.id]
            self._shop.hooks.ended(job, performance)
            self.wake()

    def _give_back(self, claim: Claim) -> None:
        """Queue the job again as soon as the store accepts it; at the latest at the next start."""
        while not self._stopping:
            try:
                self._shop.store.release(claim)
            except ClaimLost:
                return
            except TranscriberError:
                self._wait()
            else:
                return

    def _run_to_an_end(self, run: JobRun, job: Job, claim: Claim) -> None:
        """One branch for each kind of ending; each ends in one conditional update."""
        try:
            self._end(job, run.run)
        except JobStopped as stop:
            if stop.reason is StopReason.USER:
                self._end(job, lambda: self._shop.store.end_cancelled(claim))
            else:
                self._shop.store.release(claim)
        except ClaimLost:
            log.warning("Job %s is run by another attempt; this one is discarded.", job.id)
        except (EngineError, CapacityError) as error:
            self._retry_or_fail(run, job, claim, error)
        except TranscriberError as error:
            self._fail(run, job, claim, error)
        except Exception as error:  # a fault of ours ends the job, not the worker
            log.exception("Job %s met an unexpected error.", job.id)
            self._fail(run, job, claim, InternalError(f"The program made a mistake: {error}"))

    def _retry_or_fail(self, run: JobRun, job: Job, claim: Claim, error: TranscriberError) -> None:
        failures = job.failures + 1
        if not may_retry(failures):
            self._fail(run, job, claim, error)
            return
        pause_s = delay_s(failures)
        log.warning("Job %s is tried again in %.0f s: %s", job.id, pause_s, error.message)
        self._shop.store.release(claim, run_at=time.time() + pause_s, failed=True)

    def _fail(self, run: JobRun, job: Job, claim: Claim, error: TranscriberError) -> None:
        log.info("Job %s failed: %s", job.id, error.code)
        shown = JobError(code=error.code, message=error.message, remedy=error.remedy)
        self._end(job, lambda: self._shop.store.fail(claim, shown, run.performance()))

    def _end(self, job: Job, ending: Callable[[], None]) -> None:
        """The job is over: its decoded audio goes when that is committed."""
        ending()
        remove_work(self._shop.work_dir, job.id)
