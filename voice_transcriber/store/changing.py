"""How a job's row is changed: under a condition, with a new revision, and never unseen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_transcriber.errors import ClaimLost
from voice_transcriber.job import Claim, JobStatus, Stage
from voice_transcriber.store.rows import Row
from voice_transcriber.store.writer import Transaction

Values = Mapping[str, Any]

_IDLE: Values = {
    "owner": None,
    "waits_for": None,
    "stage": Stage.WAITING.value,
    "stage_percent": None,
    "ends_at": None,
}


def change_job(
    transaction: Transaction,
    job_id: str,
    values: Values,
    *,
    only_if: str,
    arguments: Values | None = None,
) -> Row | None:
    """Set columns where `only_if` still holds; None when it does not, or there is no such job."""
    assignments = ", ".join(f"{column} = :{column}" for column in ("revision", *values))
    rows = transaction.db.query(
        # Column names and conditions are ours; every value is a parameter.
        f"UPDATE jobs SET {assignments} WHERE id = :_id AND {only_if} RETURNING *",
        {
            **values,
            **(arguments or {}),
            "_id": job_id,
            "revision": transaction.revision + 1,
        },
    )
    for row in rows:
        transaction.revision += 1
        return row
    return None


def change_claimed(transaction: Transaction, claim: Claim, values: Values | None = None) -> Row:
    """Set columns of a running job, or only prove the claim and give it the next revision.

    Raises ClaimLost when another attempt owns the job now, or it no longer runs.
    """
    row = change_job(
        transaction,
        claim.job_id,
        values or {},
        only_if="status = 'running' AND attempt = :_attempt AND owner = :_owner",
        arguments={"_attempt": claim.attempt, "_owner": claim.owner},
    )
    if row is None:
        raise ClaimLost
    return row


def ended(status: JobStatus, *, now: float) -> Values:
    return {**_IDLE, "status": status.value, "finished_at": now, "cancel_requested": 0}


def put_back(row: Row, *, now: float, run_at: float, waits_for: str | None = None) -> Values:
    """A running job queues again, unless the user has asked for its end."""
    if row["cancel_requested"]:
        return ended(JobStatus.CANCELLED, now=now)
    queued = {"status": JobStatus.QUEUED.value, "run_at": run_at, "waits_for": waits_for}
    return {**_IDLE, **queued}
