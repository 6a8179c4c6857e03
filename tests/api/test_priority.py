"""PATCH /api/v1/jobs/{id}"""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.makers import Jobs


def test_a_waiting_job_changes_its_priority_and_its_place(client: FlaskClient, jobs: Jobs) -> None:
    first, second = jobs.queued(), jobs.queued()
    answer = client.patch(f"/api/v1/jobs/{second.id}", json={"priority": "high"})
    assert (answer.status_code, answer.json["priority"]) == (200, "high")
    assert answer.json["queue_position"] == 1
    assert client.get(f"/api/v1/jobs/{first.id}").json["queue_position"] == 2


def test_a_job_that_runs_keeps_its_priority(client: FlaskClient, jobs: Jobs) -> None:
    job_id = jobs.running().job_id
    answer = client.patch(f"/api/v1/jobs/{job_id}", json={"priority": "high"})
    assert (answer.status_code, answer.json["code"]) == (409, "wrong_state")
    assert client.get(f"/api/v1/jobs/{job_id}").json["priority"] == "normal"


def test_an_unknown_job_is_not_found(client: FlaskClient) -> None:
    assert client.patch("/api/v1/jobs/nothing", json={"priority": "low"}).status_code == 404


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"priority": "urgent"}, "priority"),
        ({}, "priority"),
        ({"priority": "low", "status": "completed"}, "status"),
        (["low"], "JSON object"),
    ],
)
def test_a_wrong_change_is_named(client: FlaskClient, jobs: Jobs, body: Any, named: str) -> None:
    answer = client.patch(f"/api/v1/jobs/{jobs.queued().id}", json=body)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    assert named in answer.json["detail"]


def test_a_body_that_is_no_json_is_refused(client: FlaskClient, jobs: Jobs) -> None:
    answer = client.patch(f"/api/v1/jobs/{jobs.queued().id}", data=b"\xff{")
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
