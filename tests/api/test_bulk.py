"""POST /api/v1/jobs/bulk"""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.makers import Jobs
from voice_transcriber.errors import NotFound
from voice_transcriber.job import JobStatus
from voice_transcriber.services import Services


def bulk(client: FlaskClient, action: str, *ids: str) -> Any:
    return client.post("/api/v1/jobs/bulk", json={"action": action, "ids": ids})


def test_each_job_is_done_or_says_why_not(client: FlaskClient, jobs: Jobs) -> None:
    done, waiting = jobs.completed(), jobs.queued()
    answer = bulk(client, "cancel", waiting.id, done.id, "nothing")
    assert answer.status_code == 200
    assert answer.json["done"] == [waiting.id]
    assert [(one["id"], one["code"]) for one in answer.json["failed"]] == [
        (done.id, "wrong_state"),
        ("nothing", "not_found"),
    ]
    assert "completed" in answer.json["failed"][0]["message"]


def test_failed_and_cancelled_jobs_are_queued_again(
    client: FlaskClient, jobs: Jobs, services: Services
) -> None:
    ids = [jobs.failed().id, jobs.cancelled().id]
    assert bulk(client, "retry", *ids).json == {"done": ids, "failed": []}
    assert services.store.counts()[JobStatus.QUEUED] == 2


def test_only_what_has_ended_is_deleted(
    client: FlaskClient, jobs: Jobs, services: Services
) -> None:
    done, waiting = jobs.completed(), jobs.queued()
    answer = bulk(client, "delete", done.id, waiting.id).json
    assert (answer["done"], [one["id"] for one in answer["failed"]]) == ([done.id], [waiting.id])
    with pytest.raises(NotFound):
        services.store.get(done.id)
    assert services.store.get(waiting.id).status is JobStatus.QUEUED


def test_a_job_that_is_named_twice_counts_once(client: FlaskClient, jobs: Jobs) -> None:
    job = jobs.queued()
    assert bulk(client, "cancel", job.id, job.id).json == {"done": [job.id], "failed": []}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"action": "explode", "ids": ["x"]}, "action"),
        ({"action": "cancel", "ids": []}, "ids"),
        ({"action": "cancel", "ids": ["x"] * 1001}, "ids"),
        ({"action": "cancel"}, "ids"),
        ({"action": "cancel", "ids": [1]}, "ids"),
    ],
)
def test_a_wrong_request_is_named(client: FlaskClient, body: Any, named: str) -> None:
    answer = client.post("/api/v1/jobs/bulk", json=body)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    assert named in answer.json["detail"]
