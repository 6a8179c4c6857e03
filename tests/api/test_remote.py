"""What the pages and the API say of a remote engine. No request goes to it here."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

KEY = "sk-a-key-that-nobody-may-see"


@pytest.fixture
def environment() -> dict[str, str]:
    return {
        "ENGINE": "remote",
        "REMOTE_URL": "https://speech.example/v1",
        "REMOTE_API_KEY": KEY,
        "DEFAULT_MODEL": "base",
    }


@pytest.mark.parametrize("path", ["/", "/ui/models", "/api/v1/models", "/api/v1/system"])
def test_people_are_told_where_the_sound_goes(client: FlaskClient, path: str) -> None:
    assert "speech.example" in client.get(path).text


def test_the_models_are_the_servers(client: FlaskClient) -> None:
    body = client.get("/api/v1/models").json
    assert body["remote"] == "speech.example"
    (model,) = body["models"]
    assert (model["name"], model["present"], model["downloadable"]) == ("base", True, False)
    refused = client.post("/api/v1/models/base/download")
    assert (refused.status_code, refused.json["code"]) == (409, "wrong_state")
    assert client.delete("/api/v1/models/base?own=true").status_code == 409


def test_the_way_to_the_server_is_measured(client: FlaskClient) -> None:
    engine = client.get("/api/v1/system").json["engine"]
    assert engine["name"] == "remote"
    assert engine["remote"] == {
        "server": "speech.example",
        "connections": 0,
        "idle_connections": 0,
        "requests": 0,
        "retries": 0,
        "errors": 0,
        "sent_bytes": 0,
        "taken_over": 0,
    }


@pytest.mark.parametrize(
    "path", ["/", "/models", "/system", "/settings", "/health", "/api/v1/system"]
)
def test_the_key_is_shown_nowhere(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert KEY not in answer.text
