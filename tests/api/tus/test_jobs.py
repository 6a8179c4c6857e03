"""A finished upload becomes one job, and its recording is found by its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import SPEECH, stored_files
from tests.api.tus_requests import SOUND, Send, submit
from tests.contract.makers import Jobs
from voice_transcriber.services import Services


def test_the_metadata_says_what_is_wanted_and_a_field_given_wins(
    whole: Callable[..., str], client: FlaskClient
) -> None:
    upload_id = whole(
        model="demo", language="German", priority="high", prompt="Ada", filetype="audio/wav"
    )
    answer = submit(client, upload_id, priority="low")
    assert answer.status_code == 202
    job = answer.json
    assert job["filename"] == "Grüße an alle.wav"
    assert (job["model"], job["language"], job["priority"]) == ("demo", "de", "low")
    assert client.get(answer.location).json["id"] == job["id"]


def test_there_is_one_job_for_an_upload_however_often_it_is_asked_for(
    whole: Callable[..., str], app: Any, services: Services
) -> None:
    upload_id = whole()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: submit(app.test_client(), upload_id), range(16)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert services.store.page(limit=9).total == 1
    assert len([path for path in stored_files(services) if path.parent.name != "uploads"]) == 1


def test_the_file_is_in_the_store_once(
    whole: Callable[..., str], client: FlaskClient, services: Services
) -> None:
    submit(client, whole())
    (stored,) = stored_files(services)
    assert stored.name == hashlib.sha256(SOUND).hexdigest()


def test_the_form_may_be_multipart_too(whole: Callable[..., str], client: FlaskClient) -> None:
    answer = client.post(
        "/api/v1/jobs", data={"upload": whole()}, content_type="multipart/form-data"
    )
    assert answer.status_code == 202


def test_a_file_and_an_upload_are_one_too_many(
    whole: Callable[..., str], client: FlaskClient
) -> None:
    answer = client.post("/api/v1/jobs", data={"upload": whole(), "file": (SPEECH.open("rb"), "x")})
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")


def test_an_upload_that_is_not_whole_has_no_job(
    announce: Send, patch: Send, client: FlaskClient
) -> None:
    address = announce().location
    patch(address, 0, SOUND[:5])
    answer = submit(client, address.rsplit("/", 1)[1])
    assert (answer.status_code, answer.json["code"]) == (409, "wrong_state")
    assert f"5 of {len(SOUND)}" in answer.json["detail"]


def test_a_deleted_job_is_not_made_anew(
    whole: Callable[..., str], client: FlaskClient, services: Services
) -> None:
    upload_id = whole()
    job_id = submit(client, upload_id).json["id"]
    services.manager.cancel(job_id)
    services.manager.delete(job_id)
    assert submit(client, upload_id).status_code == 404
    assert stored_files(services) == []


def test_what_a_crash_left_between_the_name_and_the_job_is_taken_up(
    whole: Callable[..., str], client: FlaskClient, services: Services
) -> None:
    """The file has its name in the store, its job does not exist, and the server starts."""
    upload_id = whole()
    sha256 = hashlib.sha256(SOUND).hexdigest()
    services.store.set_upload_sha256(upload_id, sha256)
    services._partials.adopt(upload_id, sha256)
    services.blobs.delete_unused(services.store.blobs_in_use(), older_than_s=0)
    assert submit(client, upload_id).status_code == 202
    assert services.blobs.path(sha256).read_bytes() == SOUND


def test_a_recording_is_found_by_its_hash(
    whole: Callable[..., str], client: FlaskClient, jobs: Jobs
) -> None:
    job_id = submit(client, whole()).json["id"]
    jobs.queued()
    sha256 = hashlib.sha256(SOUND).hexdigest()
    found = client.get("/api/v1/jobs", query_string={"sha256": sha256}).json
    assert [job["id"] for job in found["jobs"]] == [job_id]
    assert found["total"] == 1
    other = client.get("/api/v1/jobs", query_string={"sha256": "0" * 64}).json
    assert other["jobs"] == []


@pytest.mark.parametrize("sha256", ["xyz", "A" * 64, "0" * 65])
def test_what_is_no_hash_is_refused(client: FlaskClient, sha256: str) -> None:
    assert client.get("/api/v1/jobs", query_string={"sha256": sha256}).status_code == 400
