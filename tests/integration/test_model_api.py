"""Downloads over the API: the whole program but its process, and a server of one model file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.model_server import BODY, ModelServer
from tests.recordings import tone, write_wav
from tests.running import ended, running, settings_for, submit, until
from voice_transcriber.app import create_app
from voice_transcriber.job import TranscribeOptions
from voice_transcriber.services import Services

HELD = 100_000  # bytes that a slow server sends before it waits


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer.running() as server:
        yield server


@pytest.fixture
def services(tmp_path: Path, server: ModelServer) -> Iterator[Services]:
    services = Services(settings_for(tmp_path), published=server.published())
    services.start()
    yield services
    services.stop()


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return create_app(services.settings, services).test_client()


def base(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/v1/models").json
    found: dict[str, Any] = next(one for one in answer["models"] if one["name"] == "base")
    return found


def is_at(client: FlaskClient, state: str, *, done_bytes: int = 0) -> bool:
    download = base(client)["download"]
    return bool(download["state"] == state and download["done_bytes"] >= done_bytes)


def start(client: FlaskClient) -> None:
    answer = client.post("/api/v1/models/base/download")
    assert (answer.status_code, answer.json["download"]["state"]) == (202, "downloading")


def model_file(services: Services) -> Path:
    return services.settings.whisper_model_dir / "base.pt"


def test_it_is_started_watched_and_there(
    client: FlaskClient, server: ModelServer, services: Services
) -> None:
    server.held_after = HELD
    start(client)
    until(lambda: is_at(client, "downloading", done_bytes=HELD))
    download = base(client)["download"]
    assert download["done_bytes"] == HELD
    assert download["total_bytes"] == len(BODY)
    assert download["percent"] == round(100 * HELD / len(BODY), 1)
    assert download["bytes_per_s"] > 0
    assert download["cancellable"]
    assert not base(client)["present"]
    server.go_on.set()
    until(lambda: is_at(client, "present"))
    assert model_file(services).read_bytes() == BODY
    assert base(client)["size_bytes"] == len(BODY)
    assert client.post("/api/v1/models/base/download").status_code == 200
    assert server.ranges == [None]


def test_what_came_before_a_cancel_is_not_loaded_again(
    client: FlaskClient, server: ModelServer, services: Services
) -> None:
    server.held_after = HELD
    start(client)
    until(lambda: is_at(client, "downloading", done_bytes=HELD))
    cancelled = client.delete("/api/v1/models/base/download")
    assert cancelled.status_code == 200
    assert cancelled.json["download"]["state"] == "absent"
    server.held_after = None
    server.go_on.set()
    start(client)
    until(lambda: is_at(client, "present"))
    assert model_file(services).read_bytes() == BODY
    # The transfer that was given up may have been joined again before it ended.
    assert server.ranges in ([None], [None, f"bytes={HELD}-"])


def test_it_goes_on_after_a_restart(
    tmp_path: Path, client: FlaskClient, server: ModelServer, services: Services
) -> None:
    server.held_after = HELD
    start(client)
    until(lambda: is_at(client, "downloading", done_bytes=HELD))
    services.stop()
    server.held_after = None
    server.go_on.set()
    with running(settings_for(tmp_path), published=server.published()) as again:
        client = create_app(again.settings, again).test_client()
        start(client)
        until(lambda: is_at(client, "present"))
        assert model_file(again).read_bytes() == BODY
    assert server.ranges[0] is None
    assert re.fullmatch(r"bytes=[1-9]\d*-", str(server.ranges[1]))


def test_a_server_that_breaks_off_is_asked_for_the_rest(
    client: FlaskClient, server: ModelServer, services: Services
) -> None:
    server.cuts = [70_000]
    start(client)
    until(lambda: is_at(client, "present"))
    assert model_file(services).read_bytes() == BODY
    assert server.ranges == [None, "bytes=70000-"]


def test_a_job_and_the_page_share_one_download(
    client: FlaskClient, server: ModelServer, services: Services, tmp_path: Path
) -> None:
    server.held_after = HELD
    start(client)
    job = submit(
        services,
        write_wav(tmp_path / "clip.wav", tone(5)),
        options=TranscribeOptions(model="base"),
    )
    until(lambda: services.store.get(job.id).stage_percent)
    # Whoever started it gives it up; the job still waits for it.
    assert client.delete("/api/v1/models/base/download").json["download"]["state"] == "downloading"
    assert not base(client)["download"]["cancellable"]
    refused = client.delete("/api/v1/models/base/download")
    assert (refused.status_code, refused.json["code"]) == (409, "wrong_state")
    server.go_on.set()
    assert ended(services, job).error is None
    assert server.ranges == [None]
    assert base(client)["real_time_factor"] > 0


@pytest.fixture
def changed(tmp_path: Path, server: ModelServer) -> Iterator[FlaskClient]:
    """What is published has another hash than what the server sends."""
    services = Services(settings_for(tmp_path), published=server.published(body=b"the true one"))
    yield create_app(services.settings, services).test_client()
    services.stop()


def test_a_wrong_checksum_is_told_and_nothing_is_kept(changed: FlaskClient, tmp_path: Path) -> None:
    start(changed)
    until(lambda: is_at(changed, "failed"))
    download = base(changed)["download"]
    assert download["error"]["code"] == "model_damaged"
    assert download["error"]["remedy"]
    assert not base(changed)["present"]
    assert not list((tmp_path / "models").glob("base.pt*[!k]"))  # the lock alone stays


def test_a_failed_download_can_be_tried_again(client: FlaskClient, server: ModelServer) -> None:
    server.statuses = [404]
    start(client)
    until(lambda: is_at(client, "failed"))
    assert base(client)["download"]["error"]["code"] == "model_unavailable"
    start(client)
    until(lambda: is_at(client, "present"))


def test_a_drain_gives_downloads_up_and_refuses_further_ones(
    client: FlaskClient, server: ModelServer, services: Services
) -> None:
    server.held_after = HELD
    start(client)
    until(lambda: is_at(client, "downloading", done_bytes=HELD))
    services.drain()
    assert base(client)["download"]["state"] == "absent"
    assert client.post("/api/v1/models/base/download").json["code"] == "shutting_down"


def test_a_deleted_model_can_be_downloaded_again(
    client: FlaskClient, server: ModelServer, services: Services
) -> None:
    start(client)
    until(lambda: is_at(client, "present"))
    assert client.delete("/api/v1/models/base").status_code == 204
    assert not model_file(services).exists()
    start(client)
    until(lambda: is_at(client, "present"))


def test_a_model_in_memory_is_not_deleted(
    client: FlaskClient, services: Services, tmp_path: Path
) -> None:
    start(client)
    until(lambda: is_at(client, "present"))
    clip = write_wav(tmp_path / "clip.wav", tone(5))
    job = submit(services, clip, options=TranscribeOptions(model="base"))
    assert ended(services, job).error is None
    assert base(client)["in_memory"]
    refused = client.delete("/api/v1/models/base")
    assert (refused.status_code, refused.json["code"]) == (409, "wrong_state")
    assert "in memory" in refused.json["detail"]
    services.engine.unload_idle(idle_s=0)
    until(lambda: not base(client)["in_memory"])
    assert client.delete("/api/v1/models/base").status_code == 204
