"""Errors as answers, and the headers that every answer has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from voice_transcriber.errors import TranscriberError
from voice_transcriber.web.errors import STATUS_OF
from voice_transcriber.web.headers import SECURITY_HEADERS


def all_errors(kind: type[TranscriberError] = TranscriberError) -> Iterator[type[TranscriberError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from all_errors(below)


def test_every_error_has_a_status() -> None:
    package = "voice_transcriber.errors."
    ours = {kind for kind in all_errors() if kind.__module__.startswith(package)}
    assert ours == STATUS_OF.keys()


def test_an_error_is_problem_json(client: FlaskClient) -> None:
    answer = client.get("/api/v1/jobs/nothing")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["type"] == "urn:voice-transcriber:not_found"
    assert answer.json["title"] == "Not Found"
    assert answer.json["status"] == 404
    assert answer.json.keys() >= {"detail", "code", "remedy"}


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/health", "/api/v1/jobs/nothing", "/static/css/base.css"]
)
def test_every_answer_has_the_security_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path, buffered=True).headers
    for name, value in SECURITY_HEADERS:
        assert headers[name] == value
    assert "Access-Control-Allow-Origin" not in headers


def test_a_person_gets_a_page(client: FlaskClient) -> None:
    answer = client.get("/nothing", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "There is nothing at this address." in answer.text


def test_a_fault_of_ours_tells_no_secrets(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    @app.get("/api/v1/fault")
    def fault() -> str:
        raise RuntimeError("a secret")

    answer = app.test_client().get("/api/v1/fault")
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert "a secret" in caplog.text


def test_a_large_body_elsewhere_is_refused(client: FlaskClient) -> None:
    answer = client.post("/login", data={"key": "x" * 2_000_000})
    assert answer.status_code == 413
