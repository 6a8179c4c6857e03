"""GET /health and /health/ready"""

from __future__ import annotations

import time

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Disk
from tests.contract.makers import Jobs
from voice_transcriber import __version__
from voice_transcriber.engines.client import CRASHES_IN_A_ROW, EngineClient
from voice_transcriber.jobs.manager import MIN_FREE_BYTES
from voice_transcriber.services import Services


def test_a_draining_server_says_why_it_is_not_ready(
    client: FlaskClient, services: Services
) -> None:
    services.drain()
    answer = client.get("/health")
    assert (answer.status_code, answer.json["status"]) == (503, "unavailable")
    assert any("shutting down" in problem for problem in answer.json["problems"])
    assert answer.headers["Retry-After"]
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json) == (503, {"ready": False})
    assert ready.headers["Retry-After"]


def test_a_server_that_works_is_healthy(client: FlaskClient, services: Services) -> None:
    services.start()
    answer = client.get("/health")
    assert (answer.status_code, answer.json["status"]) == (200, "ok")
    assert answer.json["version"] == __version__
    assert answer.json["problems"] == []
    assert client.get("/health/ready").json == {"ready": True}


def test_a_full_disk_is_a_reason_to_refuse_work(client: FlaskClient, disk: Disk) -> None:
    disk.room_bytes = MIN_FREE_BYTES - 1
    answer = client.get("/health")
    assert answer.status_code == 503
    assert any("disk" in problem for problem in answer.json["problems"])


def test_an_engine_that_keeps_ending_is_told(client: FlaskClient, services: Services) -> None:
    assert isinstance(services.engine, EngineClient)
    services.engine._crashes_in_a_row = CRASHES_IN_A_ROW
    services.engine._last_crash = (services.engine._clock(), "signal SIGSEGV")
    answer = client.get("/health")
    assert answer.status_code == 503
    assert any("SIGSEGV" in problem for problem in answer.json["problems"])


def test_threads_that_are_gone_are_told(client: FlaskClient, services: Services) -> None:
    """Nobody looks after this server: its rounds have stopped."""
    services.start()
    services._scheduler.pause()
    services._supervisor._looked_at = time.monotonic() - 1000
    answer = client.get("/health")
    assert answer.status_code == 503
    assert any("looked after" in problem for problem in answer.json["problems"])


class TestFullQueue:
    @pytest.fixture
    def environment(self) -> dict[str, str]:
        return {"MAX_QUEUE_SIZE": "1"}

    def test_it_is_only_a_warning(self, client: FlaskClient, jobs: Jobs) -> None:
        assert client.get("/health").json["details"]["warnings"] == []
        jobs.queued()
        answer = client.get("/health")
        assert answer.status_code == 200
        assert any("queue is full" in one for one in answer.json["details"]["warnings"])
