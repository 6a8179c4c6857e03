"""The server answers only by its own names."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from voice_transcriber.job import JobStatus
from voice_transcriber.services import Services


@pytest.fixture
def environment() -> dict[str, str]:
    return {"ALLOWED_HOSTS": "transcribe.example"}


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:5001", "127.0.0.1:8080", "[::1]:5001", "transcribe.example"],
)
def test_its_own_names_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/health/ready", headers={"Host": host}).is_json


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "",
        "localhost, evil.example",
        "user@localhost",
        "localhost:x",
        "[::2]",
        "0.0.0.0",
    ],
)
@pytest.mark.parametrize("path", ["/", "/static/css/base.css", "/api/v1/jobs", "/nothing"])
def test_another_name_is_refused_everywhere(client: FlaskClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert (answer.status_code, answer.json["code"]) == (421, "host_not_allowed")


def test_a_foreign_host_changes_nothing(client: FlaskClient, services: Services) -> None:
    client.post("/api/v1/jobs/sample", headers={"Host": "evil.example"})
    assert services.store.counts()[JobStatus.QUEUED] == 0
