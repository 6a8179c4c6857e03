"""The checker sees what is broken: each kind of damage, done to a log and a state that agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.checker import INVARIANTS, Allowed, violations
from tests.faults.client_log import ClientLog
from tests.faults.state import FinalState, FoundJob

NAME = "clip.wav"
SHA256 = "a" * 64
TEXT = ((0, 3000, " amber birch."), (3000, 6000, " cedar dune."))
TEXTS = {NAME: TEXT}
COMPLETED = FoundJob(
    id="one",
    status="completed",
    attempt=2,
    error=None,
    recording=NAME,
    sha256=SHA256,
    text=TEXT,
    results=1,
    file_text=TEXT,
)
FAILED = replace(
    COMPLETED, status="failed", error="parts_failed", text=None, results=0, file_text=None
)
SOUND = FinalState(
    jobs={"one": COMPLETED},
    contents={SHA256: SHA256},
    unclaimed=(),
    strays=(),
    integrity="ok",
    broken_references=0,
    audit_numbers=(1, 2, 3),
    stop_status=0,
)


def client_log() -> ClientLog:
    log = ClientLog()
    log.accept("one", recording=NAME, sha256=SHA256)
    for status, attempt in (("queued", 0), ("running", 1), ("running", 2), ("completed", 2)):
        log.saw({"id": "one", "status": status, "attempt": attempt})
    log.answered("POST", "/api/v1/jobs", 507, retry_after=True)
    return log


def found(log: ClientLog, state: FinalState, *, allowed: Allowed | None = None) -> list[str]:
    """The invariants that are broken."""
    seen = violations(log, state, TEXTS, allowed=allowed or Allowed())
    return sorted({violation.invariant for violation in seen})


def with_job(**values: object) -> FinalState:
    return replace(SOUND, jobs={"one": replace(COMPLETED, **values)})  # type: ignore[arg-type]


def test_what_agrees_is_not_accused() -> None:
    assert found(client_log(), SOUND) == []


@pytest.mark.parametrize(
    ("invariant", "state"),
    [
        ("I1", replace(SOUND, jobs={})),
        ("I1", with_job(status="not stored", text=None, results=0, file_text=None)),
        ("I1", replace(SOUND, jobs={"one": COMPLETED, "two": replace(COMPLETED, id="two")})),
        ("I2", with_job(status="running", text=None, results=0, file_text=None)),
        ("I2", replace(SOUND, jobs={"one": FAILED})),
        ("I2", replace(SOUND, jobs={"one": replace(FAILED, status="cancelled", error=None)})),
        ("I3", with_job(results=2)),
        ("I3", with_job(text=None)),
        ("I3", with_job(file_text=None)),
        ("I3", with_job(text=TEXT[:1])),
        ("I3", with_job(text=(TEXT[0], *TEXT))),
        ("I3", with_job(file_text=((0, 3000, " amber birch."), (3020, 6000, " cedar dune.")))),
        ("I5", replace(SOUND, contents={})),
        ("I5", replace(SOUND, contents={SHA256: "e3b0c44298fc"})),
        ("I5", replace(SOUND, unclaimed=("b" * 64,))),
        ("I5", replace(SOUND, strays=("blobs/incoming/x.part",))),
        ("I6", replace(SOUND, integrity="row 7 missing from index")),
        ("I6", replace(SOUND, broken_references=1)),
        ("I9", replace(SOUND, audit_numbers=(1, 3))),
        ("stop", replace(SOUND, stop_status=-15)),
    ],
)
def test_a_broken_state_is_seen(invariant: str, state: FinalState) -> None:
    assert invariant in found(client_log(), state)


def test_a_failed_job_that_has_a_text_is_seen() -> None:
    state = replace(SOUND, jobs={"one": replace(FAILED, results=1)})
    assert found(client_log(), state, allowed=Allowed(errors=frozenset({"parts_failed"}))) == ["I3"]


def test_a_job_whose_content_was_exchanged_is_seen() -> None:
    other = "b" * 64
    state = replace(with_job(sha256=other), contents={other: other})
    assert found(client_log(), state) == ["I1"]


@pytest.mark.parametrize(
    ("invariant", "spoil"),
    [
        ("I4", lambda log: log.saw({"id": "one", "status": "running", "attempt": 3})),
        ("I4", lambda log: log.saw({"id": "one", "status": "completed", "attempt": 1})),
        ("I8", lambda log: log.answered("GET", "/", 500, retry_after=False)),
        ("I8", lambda log: log.answered("GET", "/", 502, retry_after=True)),
        ("I8", lambda log: log.answered("POST", "/", 503, retry_after=False)),
        ("children", lambda log: log.orphans.append("python -m decoder")),
    ],
)
def test_a_broken_story_is_seen(invariant: str, spoil: Callable[[ClientLog], None]) -> None:
    log = client_log()
    spoil(log)
    assert found(log, SOUND) == [invariant]


def test_a_submit_without_an_answer_may_have_become_a_job_but_not_two() -> None:
    log = client_log()
    log.cut_off()
    two = {"one": COMPLETED, "two": replace(COMPLETED, id="two")}
    assert found(log, replace(SOUND, jobs=two)) == []
    three = two | {"three": replace(COMPLETED, id="three")}
    assert found(log, replace(SOUND, jobs=three)) == ["I1"]


def test_every_invariant_can_be_broken() -> None:
    """Each is named by one of the tests above."""
    assert set(INVARIANTS) == {"I1", "I2", "I3", "I4", "I5", "I6", "I8", "I9", "children", "stop"}
