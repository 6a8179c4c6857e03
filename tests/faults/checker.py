"""One checker for every run: what the client was told against what is left at the end.

Each invariant has a number, by which the reliability report names it. `violations` is pure: a test
feeds it states that are broken on purpose.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from tests.faults.client_log import ClientLog, Sighting
from tests.faults.server import LIVE, Server
from tests.faults.sounds import Text, Texts
from tests.faults.state import FinalState, FoundJob, read_state

INVARIANTS = {
    "I1": "every job that was acknowledged exists, with the content that was sent; no job came "
    "from nothing",
    "I2": "every job has ended, in a state that the run allows",
    "I3": "a completed job has exactly one result, and it is that of an undisturbed run: no lost, "
    "doubled or moved words",
    "I4": "a job's attempts only grow, and no ended job lives again by itself",
    "I5": "every recording that a job names is there with its hash; no stray file is left, but for "
    "the recording of a submit that got no answer, which stays for an hour",
    "I6": "the database's integrity_check says ok, and foreign_key_check finds nothing",
    "I8": "no answer 5xx but 503 and 507, each with Retry-After",
    "I9": "the audit log has no gap",
    "children": "no child process outlives the program by more than 5 s",
    "stop": "the program ends with status 0 when it is asked to",
}
BUSY = frozenset({503, 507})


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A promise that was not kept."""

    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What a run may lead to besides completed jobs."""

    errors: frozenset[str] = frozenset()  # codes with which a job may fail
    cancelled: bool = False


def verdict(
    server: Server, texts: Texts, *, allowed: Allowed | None = None, patience_s: float = 300.0
) -> list[Violation]:
    """Wait for every job's end, stop the server, compare."""
    server.finish_all(patience_s=patience_s)
    return violations(server.log, read_state(server), texts, allowed=allowed or Allowed())


def violations(
    log: ClientLog, state: FinalState, texts: Texts, *, allowed: Allowed
) -> list[Violation]:
    return [
        *_kept(log, state),
        *(found for job in state.jobs.values() for found in _ended_well(job, texts, allowed)),
        *_stories(log),
        *_files(log, state),
        *_database(state),
        *_answers(log),
        *_audit(state),
        *(Violation(invariant="children", what=orphan) for orphan in log.orphans),
        *_stop(state),
    ]


def _kept(log: ClientLog, state: FinalState) -> Iterator[Violation]:
    for accepted in log.accepted.values():
        job = state.jobs.get(accepted.id)
        if job is None or job.status == "not stored":
            yield Violation(invariant="I1", what=f"job {accepted.id} was acknowledged and is lost")
        elif job.sha256 != accepted.sha256 or job.recording != accepted.recording:
            yield Violation(invariant="I1", what=f"job {job.id} has another recording than sent")
    unknown = state.jobs.keys() - log.accepted.keys()
    if len(unknown) > log.unanswered:
        yield Violation(
            invariant="I1",
            what=f"{len(unknown)} jobs that no client knows, {log.unanswered} submits without an "
            f"answer: {sorted(unknown)}",
        )


def _ended_well(job: FoundJob, texts: Texts, allowed: Allowed) -> Iterator[Violation]:
    if job.status == "completed":
        yield from _right_text(job, texts)
    elif job.results or job.file_text is not None:
        yield Violation(invariant="I3", what=f"job {job.id} is {job.status} and has a result")
    if job.status == "failed" and job.error not in allowed.errors:
        yield Violation(invariant="I2", what=f"job {job.id} failed: {job.error}")
    if job.status == "cancelled" and not allowed.cancelled:
        yield Violation(invariant="I2", what=f"job {job.id} was cancelled by nobody")
    if job.status not in {"completed", "failed", "cancelled"}:
        yield Violation(invariant="I2", what=f"job {job.id} is {job.status}")


def _right_text(job: FoundJob, texts: Texts) -> Iterator[Violation]:
    if job.results != 1:
        yield Violation(invariant="I3", what=f"job {job.id} has {job.results} results")
    for place, text in (("the API", job.text), ("its file", job.file_text)):
        if text is None:
            yield Violation(invariant="I3", what=f"job {job.id} has no text by {place}")
        elif difference := _difference(text, texts[job.recording]):
            yield Violation(
                invariant="I3", what=f"job {job.id} ({job.recording}) by {place}: {difference}"
            )


def _difference(text: Text, true_text: Text) -> str | None:
    """The first place at which they part."""
    for number, (found, expected) in enumerate(zip(text, true_text, strict=False)):
        if found != expected:
            return f"segment {number} is {found}, not {expected}"
    if len(text) != len(true_text):
        return f"{len(text)} segments, not {len(true_text)}"
    return None


def _stories(log: ClientLog) -> Iterator[Violation]:
    for job_id, story in log.sightings.items():
        for before, after in itertools.pairwise(story):
            if trouble := _illegal(before, after):
                yield Violation(invariant="I4", what=f"job {job_id}: {trouble}")


def _illegal(before: Sighting, after: Sighting) -> str | None:
    if after.attempt < before.attempt:
        return f"attempt {before.attempt} was followed by {after.attempt}"
    if before.status not in LIVE:
        return f"{before.status} was followed by {after.status}"
    return None


def _files(log: ClientLog, state: FinalState) -> Iterator[Violation]:
    for job in state.jobs.values():
        content = state.contents.get(job.sha256)
        if content is None:
            yield Violation(invariant="I5", what=f"the recording of job {job.id} is missing")
        elif content != job.sha256:
            yield Violation(invariant="I5", what=f"the recording of job {job.id} is damaged")
    if len(state.unclaimed) > log.unanswered:
        yield Violation(
            invariant="I5",
            what=f"{len(state.unclaimed)} recordings of no job, {log.unanswered} submits without "
            "an answer",
        )
    for stray in state.strays:
        yield Violation(invariant="I5", what=f"{stray} is left over")


def _database(state: FinalState) -> Iterator[Violation]:
    if state.integrity != "ok":
        yield Violation(invariant="I6", what=state.integrity)
    if state.broken_references:
        yield Violation(invariant="I6", what=f"{state.broken_references} rows refer to nothing")


def _answers(log: ClientLog) -> Iterator[Violation]:
    for fault in log.faults:
        if fault.status not in BUSY or not fault.retry_after:
            retry = "with" if fault.retry_after else "without"
            yield Violation(
                invariant="I8",
                what=f"{fault.method} {fault.path}: {fault.status} {retry} Retry-After",
            )


def _audit(state: FinalState) -> Iterator[Violation]:
    numbers = state.audit_numbers or ()
    for before, after in itertools.pairwise(numbers):
        if after != before + 1:
            yield Violation(invariant="I9", what=f"entry {before} is followed by {after}")


def _stop(state: FinalState) -> Iterator[Violation]:
    if state.stop_status:
        yield Violation(invariant="stop", what=f"it ended with status {state.stop_status}")
