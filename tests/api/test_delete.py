"""DELETE /api/v1/jobs/{id}"""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import stored_files
from tests.contract.makers import Jobs
from voice_transcriber.services import Services


def test_an_ended_job_goes_with_its_audio(
    client: FlaskClient, submit: Callable[..., TestResponse], services: Services
) -> None:
    address = submit().location
    client.post(f"{address}/cancel")
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    assert stored_files(services) == []


def test_audio_that_another_job_needs_stays(
    client: FlaskClient, submit: Callable[..., TestResponse], services: Services
) -> None:
    first, _second = submit(b"the same"), submit(b"the same")
    client.post(f"{first.location}/cancel")
    client.delete(first.location)
    assert len(stored_files(services)) == 1


def test_a_live_job_is_cancelled_and_stays(client: FlaskClient, jobs: Jobs) -> None:
    job_id = jobs.running().job_id
    answer = client.delete(f"/api/v1/jobs/{job_id}")
    assert (answer.status_code, answer.json["cancel_requested"]) == (202, True)
    assert client.get(f"/api/v1/jobs/{job_id}").status_code == 200


def test_an_unknown_job_is_not_found(client: FlaskClient) -> None:
    assert client.delete("/api/v1/jobs/nothing").status_code == 404
