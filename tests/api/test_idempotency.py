"""Idempotency-Key: a request that is sent again counts once."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import SPEECH, stored_files
from tests.contract.makers import Jobs
from voice_transcriber.services import Services

SOUND = SPEECH.read_bytes()
KEY = {"Idempotency-Key": "8f14e45f-ceea-467f-a0e6-1c2b7d3a9b11"}
PARALLEL = 100

Send = Callable[..., TestResponse]


@pytest.fixture
def send(client: FlaskClient) -> Send:
    def one(content: bytes = SOUND, name: str = "talk.wav", **fields: Any) -> TestResponse:
        form = {"file": (io.BytesIO(content), name), **fields}
        return client.post("/api/v1/jobs", data=form, headers=KEY)

    return one


def test_the_same_request_has_the_same_job(send: Send, services: Services) -> None:
    first, second = send(), send()
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json["id"] == second.json["id"]
    assert first.location == second.location
    assert services.store.page(limit=9).total == 1


def test_its_answer_tells_how_the_job_stands_now(send: Send, services: Services) -> None:
    job_id = send().json["id"]
    services.manager.cancel(job_id)
    assert send().json["status"] == "cancelled"


@pytest.mark.parametrize(
    "changes",
    [
        {"content": SOUND + b"x"},
        {"name": "other.wav"},
        {"language": "de"},
        {"priority": "high"},
        {"cache": "false"},
    ],
)
def test_another_content_under_the_same_key_is_refused(
    send: Send, services: Services, changes: dict[str, Any]
) -> None:
    send()
    answer = send(**changes)
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert services.store.page(limit=9).total == 1
    assert len(stored_files(services)) == 1


def test_without_a_key_every_request_counts(client: FlaskClient, services: Services) -> None:
    for _ in range(2):
        client.post("/api/v1/jobs", data={"file": (io.BytesIO(SOUND), "talk.wav")})
    assert services.store.page(limit=9).total == 2


def test_a_refused_request_can_be_sent_again(send: Send) -> None:
    assert send(language="klingon").status_code == 400
    assert send().status_code == 202


def test_a_deleted_job_is_not_made_anew(send: Send, services: Services) -> None:
    job_id = send().json["id"]
    services.manager.cancel(job_id)
    services.manager.delete(job_id)
    assert send().status_code == 404
    assert services.store.page(limit=9).total == 0
    assert stored_files(services) == []


@pytest.mark.parametrize("key", ["", "two words", "ü", "x" * 256])
def test_a_key_that_is_none_is_refused(client: FlaskClient, key: str) -> None:
    answer = client.post("/api/v1/jobs/sample", headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")


def test_the_sample_and_an_upload_count_once_too(client: FlaskClient, services: Services) -> None:
    samples = [client.post("/api/v1/jobs/sample", headers=KEY) for _ in range(2)]
    assert samples[0].json["id"] == samples[1].json["id"]
    upload = {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": "filename QQ=="}
    again = {"Idempotency-Key": "another"}
    uploads = [client.post("/files", headers=upload | again) for _ in range(2)]
    assert uploads[0].status_code == uploads[1].status_code == 201
    assert uploads[0].location == uploads[1].location
    assert len(services.store.upload_ids()) == 1
    assert client.post("/files", headers=upload | KEY).status_code == 422


@pytest.fixture
def held(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Submissions wait in their transaction until the event is set."""
    begun, go_on = threading.Event(), threading.Event()
    add = services.store.add

    def slow(*arguments: Any, **options: Any) -> Any:
        begun.set()
        assert go_on.wait(30)
        return add(*arguments, **options)

    monkeypatch.setattr(services.store, "add", slow)
    go_on.begun = begun  # type: ignore[attr-defined]
    yield go_on
    go_on.set()


def test_a_request_in_flight_is_told(app: Flask, held: Any) -> None:
    def send() -> TestResponse:
        form = {"file": (io.BytesIO(SOUND), "talk.wav")}
        return app.test_client().post("/api/v1/jobs", data=form, headers=KEY)

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(send)
        assert held.begun.wait(30)
        second = send()
        assert (second.status_code, second.json["code"]) == (409, "request_in_flight")
        assert second.headers["Retry-After"] == "1"
        held.set()
        assert first.result().status_code == 202
    assert send().json["id"] == first.result().json["id"]


def test_many_equal_requests_at_once_make_one_job(web: httpx.Client, services: Services) -> None:
    """Through the real server: each is repeated, as its answer says, until it has the job."""

    def send(_: int) -> str:
        with httpx.Client(base_url=web.base_url, trust_env=False) as own:  # as far clients have
            while True:
                files = {"file": ("talk.wav", SOUND)}
                answer = own.post("/api/v1/jobs", files=files, headers=KEY)
                if answer.status_code == 202:
                    return str(answer.json()["id"])
                assert answer.json()["code"] == "request_in_flight"

    with ThreadPoolExecutor(PARALLEL) as threads:
        ids = set(threads.map(send, range(PARALLEL)))
    assert len(ids) == 1
    assert services.store.page(limit=9).total == 1


class TestFromOtherMachines:
    """Clients beyond loopback have only so many jobs waiting."""

    @pytest.fixture
    def environment(self) -> dict[str, str]:
        return {"MAX_QUEUE_PER_KEY": "2", "ALLOW_WITHOUT_KEY": "true"}

    @staticmethod
    def sample(client: FlaskClient, address: str, **headers: str) -> TestResponse:
        return client.post(
            "/api/v1/jobs/sample", environ_base={"REMOTE_ADDR": address}, headers=headers
        )

    def test_an_address_has_only_so_many(self, client: FlaskClient, jobs: Jobs) -> None:
        first = self.sample(client, "192.0.2.7")
        assert self.sample(client, "192.0.2.7").status_code == 202
        refused = self.sample(client, "192.0.2.7")
        assert (refused.status_code, refused.json["code"]) == (429, "too_many_queued")
        assert refused.headers["Retry-After"]
        assert self.sample(client, "192.0.2.8").status_code == 202
        jobs.store.cancel(first.json["id"])
        assert self.sample(client, "192.0.2.7").status_code == 202

    def test_the_addresses_of_one_network_are_one_client(self, client: FlaskClient) -> None:
        statuses = [
            self.sample(client, f"2001:db8::{number}").status_code for number in range(1, 4)
        ]
        assert statuses == [202, 202, 429]

    @pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
    def test_this_machine_is_not_counted(self, client: FlaskClient, address: str) -> None:
        answers = [self.sample(client, address).status_code for _ in range(4)]
        assert answers == [202] * 4

    def test_two_clients_may_choose_the_same_key(self, client: FlaskClient) -> None:
        first, second = (
            self.sample(client, address, **KEY).json["id"] for address in ("192.0.2.7", "192.0.2.8")
        )
        assert first != second

    def test_uploads_are_counted_too(self, client: FlaskClient) -> None:
        upload = {
            "Tus-Resumable": "1.0.0",
            "Upload-Length": "9",
            "Upload-Metadata": "filename QQ==",
        }
        statuses = [
            client.post(
                "/files", headers=upload, environ_base={"REMOTE_ADDR": "192.0.2.7"}
            ).status_code
            for _ in range(3)
        ]
        assert statuses == [201, 201, 429]


class TestFromOtherMachinesWithAKey:
    """The key counts, wherever its requests come from."""

    @pytest.fixture
    def environment(self) -> dict[str, str]:
        return {"MAX_QUEUE_PER_KEY": "2", "API_KEY": "a-long-enough-key-for-tests"}

    def test_the_key_has_only_so_many(self, client: FlaskClient) -> None:
        headers = {"X-API-Key": "a-long-enough-key-for-tests"}
        statuses = [
            TestFromOtherMachines.sample(client, f"192.0.2.{number}", **headers).status_code
            for number in range(3)
        ]
        assert statuses == [202, 202, 429]
