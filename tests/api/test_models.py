"""GET /api/v1/models, and what is refused of downloads and deletions"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.makers import Jobs, transcript_of
from voice_transcriber.job import TranscribeOptions
from voice_transcriber.services import Services

FEW_BYTES = 1000


@pytest.fixture
def folder(services: Services) -> Path:
    folder = services.settings.whisper_model_dir
    folder.mkdir()
    return folder


def models(client: FlaskClient) -> dict[str, Any]:
    return {model["name"]: model for model in client.get("/api/v1/models").json["models"]}


def test_it_tells_what_is_present_and_what_would_be_downloaded(client: FlaskClient) -> None:
    answer = client.get("/api/v1/models").json
    found = models(client)
    assert answer["default"] == "demo"
    assert not answer["offline"]
    assert answer["free_memory_bytes"] > 0
    assert found["demo"]["present"]
    assert "human speech" in found["demo"]["note"]
    assert not found["base"]["present"]
    assert found["base"]["downloadable"]
    assert found["base"]["size_bytes"] > 100_000_000
    assert found["base"]["download"]["state"] == "absent"
    assert found["large"]["alias_of"] == "large-v3"


def test_it_tells_memory_and_nothing_that_was_not_measured(client: FlaskClient) -> None:
    found = models(client)
    assert found["tiny"]["memory_bytes"] < found["base"]["memory_bytes"]
    assert found["base"]["memory_bytes"] < found["large-v3"]["memory_bytes"]
    assert found["base"]["real_time_factor"] is None
    assert not any(model["in_memory"] or model["loading"] for model in found.values())


def test_a_speed_is_that_of_completed_jobs(
    client: FlaskClient, services: Services, jobs: Jobs
) -> None:
    claim = jobs.running()
    services.store.complete(claim, transcript_of("Text."), {"own_s": 2.5, "audio_s": 10.0})
    assert models(client)["demo"]["real_time_factor"] == 0.25


def test_a_model_that_does_not_fit_is_told(client: FlaskClient, folder: Path) -> None:
    with (folder / "huge.pt").open("wb") as file:
        file.truncate(10**13)  # takes no room on the disk
    found = models(client)
    assert (found["huge"]["fits"], found["demo"]["fits"]) == (False, True)


def test_what_came_of_an_earlier_download_is_told(client: FlaskClient, folder: Path) -> None:
    (folder / "base.pt.part").write_bytes(bytes(FEW_BYTES))
    download = models(client)["base"]["download"]
    assert (download["state"], download["done_bytes"]) == ("absent", FEW_BYTES)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "giant/download", 400, "unknown_model"),
        ("POST", "demo/download", 409, "wrong_state"),
        ("DELETE", "base/download", 409, "wrong_state"),
        ("DELETE", "giant/download", 400, "unknown_model"),
        ("DELETE", "base", 404, "not_found"),
        ("DELETE", "demo", 409, "wrong_state"),
        ("DELETE", "giant", 400, "unknown_model"),
        ("DELETE", "base?all=true", 400, "invalid_request"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    client: FlaskClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.open(f"/api/v1/models/{path}", method=method)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.json["remedy"]


def test_a_file_of_ones_own_goes_only_when_it_is_said(client: FlaskClient, folder: Path) -> None:
    (folder / "mine.pt").write_bytes(bytes(FEW_BYTES))
    assert client.delete("/api/v1/models/mine").status_code == 409
    assert client.delete("/api/v1/models/mine?own=true").status_code == 204
    assert "mine" not in models(client)


@pytest.mark.parametrize("name", ["large", "large-v3"])
def test_a_model_that_a_job_needs_stays(
    client: FlaskClient, folder: Path, jobs: Jobs, name: str
) -> None:
    (folder / "large-v3.pt").write_bytes(bytes(FEW_BYTES))
    job = jobs.queued(options=TranscribeOptions(model="large"))
    answer = client.delete(f"/api/v1/models/{name}")
    assert (answer.status_code, answer.json["code"]) == (409, "wrong_state")
    assert "Jobs" in answer.json["detail"]
    client.post(f"/api/v1/jobs/{job.id}/cancel")
    assert client.delete(f"/api/v1/models/{name}").status_code == 204


class TestOffline:
    @pytest.fixture
    def environment(self) -> dict[str, str]:
        return {"OFFLINE": "true"}

    def test_a_download_is_refused_with_the_remedy(self, client: FlaskClient) -> None:
        answer = client.post("/api/v1/models/large/download")
        assert (answer.status_code, answer.json["code"]) == (409, "offline")
        assert "Copy large-v3.pt into WHISPER_MODEL_DIR" in answer.json["remedy"]
        assert models(client)["large"]["download"]["state"] == "absent"

    def test_what_is_there_is_used(self, client: FlaskClient, folder: Path) -> None:
        (folder / "base.pt").write_bytes(bytes(FEW_BYTES))
        assert client.post("/api/v1/models/base/download").status_code == 200

    def test_the_pages_say_so(self, client: FlaskClient) -> None:
        assert "offline" in client.get("/models").text
        assert "the program runs offline" in client.get("/").text
        assert client.get("/api/v1/models").json["offline"]
