"""POST /api/v1/jobs/{id}/retry"""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.api.conftest import Disk
from tests.contract.makers import Jobs
from voice_transcriber.job import JobStatus


def test_a_failed_job_waits_again_without_its_error(client: FlaskClient, jobs: Jobs) -> None:
    answer = client.post(f"/api/v1/jobs/{jobs.failed().id}/retry")
    assert answer.status_code == 202
    assert (answer.json["status"], answer.json["error"]) == ("queued", None)


def test_a_completed_job_cannot_be_retried(client: FlaskClient, jobs: Jobs) -> None:
    answer = client.post(f"/api/v1/jobs/{jobs.completed().id}/retry")
    assert (answer.status_code, answer.json["code"]) == (409, "wrong_state")


def test_an_unknown_job_is_not_found(client: FlaskClient) -> None:
    assert client.post("/api/v1/jobs/nothing/retry").status_code == 404


def test_a_retry_needs_room_on_the_disk(client: FlaskClient, jobs: Jobs, disk: Disk) -> None:
    job_id = jobs.failed().id
    disk.room_bytes = 1_000_000
    answer = client.post(f"/api/v1/jobs/{job_id}/retry")
    assert (answer.status_code, answer.json["code"]) == (507, "disk_full")
    assert answer.headers["Retry-After"]
    many = client.post("/api/v1/jobs/bulk", json={"action": "retry", "ids": [job_id]}).json
    assert [(one["id"], one["code"]) for one in many["failed"]] == [(job_id, "disk_full")]
    assert jobs.store.get(job_id).status is JobStatus.FAILED
