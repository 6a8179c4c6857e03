"""The API key: for programs in a header, for people by a form."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

KEY = "correct-horse-battery-staple"


@pytest.fixture
def environment() -> dict[str, str]:
    return {"API_KEY": KEY}


@pytest.mark.parametrize("headers", [{"Authorization": f"Bearer {KEY}"}, {"X-API-Key": KEY}])
def test_the_key_opens_the_api(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.get("/api/v1/jobs", headers=headers).status_code == 200
    cross_site = headers | {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/api/v1/jobs/sample", headers=cross_site).status_code == 202


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"X-API-Key": ""}, {"Authorization": f"Basic {KEY}"}],
)
@pytest.mark.parametrize("path", ["/api/v1/jobs", "/ui/jobs", "/api/v1/nothing"])
def test_without_it_nothing_is_told(
    client: FlaskClient, headers: dict[str, str], path: str
) -> None:
    answer = client.get(path, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (401, "key_required")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_health_tells_strangers_only_the_verdict(client: FlaskClient) -> None:
    assert client.get("/health").json.keys() == {"status"}
    assert "details" in client.get("/health", headers={"X-API-Key": KEY}).json


def test_a_page_leads_to_the_form_and_back(client: FlaskClient) -> None:
    asked = client.get("/jobs/some?x=1")
    assert asked.location == "/login?next=%2Fjobs%2Fsome%3Fx%3D1"
    assert 'value="/jobs/some?x=1"' in client.get(asked.location).text
    signed_in = client.post("/login", data={"key": KEY, "next": "/jobs/some?x=1"})
    assert (signed_in.status_code, signed_in.location) == (303, "/jobs/some?x=1")


def test_signing_in_opens_everything_until_signing_out(client: FlaskClient) -> None:
    cookie = client.post("/login", data={"key": KEY}).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert KEY not in cookie
    assert client.get("/api/v1/jobs").status_code == 200
    client.post("/logout")
    assert client.get("/api/v1/jobs").status_code == 401


def test_a_session_does_not_help_another_site(client: FlaskClient) -> None:
    client.post("/login", data={"key": KEY})
    answer = client.post("/api/v1/jobs/sample", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_a_wrong_key_is_told_on_the_form(client: FlaskClient) -> None:
    answer = client.post("/login", data={"key": "wrong"})
    assert answer.status_code == 401
    assert "This is not the key." in answer.text
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_signing_in_leads_to_no_other_site(client: FlaskClient, target: str) -> None:
    assert client.post("/login", data={"key": KEY, "next": target}).location == "/"
