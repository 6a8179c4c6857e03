"""POST /api/v1/jobs/{id}/cancel"""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.contract.makers import Jobs


def test_a_queued_job_is_cancelled_at_once(client: FlaskClient, jobs: Jobs) -> None:
    answer = client.post(f"/api/v1/jobs/{jobs.queued().id}/cancel")
    assert (answer.status_code, answer.json["status"]) == (202, "cancelled")


def test_a_running_job_is_asked_to_stop(client: FlaskClient, jobs: Jobs) -> None:
    answer = client.post(f"/api/v1/jobs/{jobs.running().job_id}/cancel")
    assert answer.status_code == 202
    assert (answer.json["status"], answer.json["cancel_requested"]) == ("running", True)


def test_an_ended_job_cannot_be_cancelled(client: FlaskClient, jobs: Jobs) -> None:
    answer = client.post(f"/api/v1/jobs/{jobs.completed().id}/cancel")
    assert (answer.status_code, answer.json["code"]) == (409, "wrong_state")


def test_get_changes_nothing(client: FlaskClient, jobs: Jobs) -> None:
    answer = client.get(f"/api/v1/jobs/{jobs.queued().id}/cancel")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
