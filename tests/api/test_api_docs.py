"""GET /api/docs and /api/redoc: who may open them, and what they may load."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate

KEY = {"X-API-Key": "correct-horse-battery-staple"}
VIEWERS = ("/api/docs", "/api/redoc")
VENDOR = Path(__file__).parents[2] / "static" / "vendor"


@pytest.fixture
def environment() -> dict[str, str]:
    return {"API_KEY": KEY["X-API-Key"]}


def test_the_key_is_needed_for_document_and_pages(client: FlaskClient) -> None:
    assert client.get("/api/openapi.json").json["code"] == "key_required"
    for path in VIEWERS:
        assert client.get(path).location == f"/login?next={path.replace('/', '%2F')}"
        assert client.get(path, headers=KEY).status_code == 200


def test_who_has_signed_in_sees_them(client: FlaskClient) -> None:
    client.post("/login", data={"key": KEY["X-API-Key"]})
    for path in (*VIEWERS, "/api/openapi.json"):
        assert client.get(path).status_code == 200


def test_the_document_says_how_the_key_is_sent_and_what_is_open(client: FlaskClient) -> None:
    document = client.get("/api/openapi.json", headers=KEY).json
    validate(document)
    assert set(document["components"]["securitySchemes"]) == {"bearer", "header"}
    assert document["security"] == [{"bearer": []}, {"header": []}]
    assert document["paths"]["/health"]["get"]["security"] == []
    assert "security" not in document["paths"]["/api/v1/jobs"]["get"]


def test_only_the_viewers_may_write_styles_and_none_may_write_scripts(client: FlaskClient) -> None:
    for path in (*VIEWERS, "/", "/api/openapi.json"):
        (policy,) = client.get(path, headers=KEY).headers.getlist("Content-Security-Policy")
        assert "script-src 'self';" in policy
        assert ("'unsafe-inline'" in policy) == (path in VIEWERS)


def test_no_viewer_brings_an_address_of_a_picture_elsewhere() -> None:
    (redoc,) = VENDOR.glob("redoc-*/redoc.standalone.js")
    assert "cdn.redoc.ly" not in redoc.read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", sorted(VENDOR.iterdir()), ids=lambda folder: folder.name)
def test_what_others_wrote_has_its_licence(folder: Path) -> None:
    assert (folder / "LICENSE").stat().st_size > 500
