"""GET /api/v1/models"""

from __future__ import annotations

from flask.testing import FlaskClient


def test_it_tells_what_is_present_and_what_would_be_downloaded(client: FlaskClient) -> None:
    answer = client.get("/api/v1/models").json
    models = {model["name"]: model for model in answer["models"]}
    assert answer["default"] == "demo"
    assert models["demo"]["present"]
    assert "human speech" in models["demo"]["note"]
    assert not models["base"]["present"]
    assert models["base"]["downloadable"]
    assert models["base"]["size_bytes"] > 100_000_000
