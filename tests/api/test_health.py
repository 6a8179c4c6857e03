"""GET /health and /health/ready"""

from __future__ import annotations

from flask.testing import FlaskClient

from voice_transcriber import __version__
from voice_transcriber.services import Services


def test_a_draining_server_says_why_it_is_not_ready(
    client: FlaskClient, services: Services
) -> None:
    services.drain()
    answer = client.get("/health")
    assert (answer.status_code, answer.json["status"]) == (503, "unavailable")
    assert any("shutting down" in problem for problem in answer.json["problems"])
    assert client.get("/health/ready").status_code == 503


def test_a_server_that_works_is_healthy(client: FlaskClient, services: Services) -> None:
    services.start()
    answer = client.get("/health")
    assert (answer.status_code, answer.json["status"]) == (200, "ok")
    assert answer.json["version"] == __version__
    assert answer.json["problems"] == []
    assert client.get("/health/ready").json == {"ready": True}
