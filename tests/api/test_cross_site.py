"""Changes that another web site's page asks for are refused."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.contract.makers import Jobs

SAMPLE = "/api/v1/jobs/sample"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:9999"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://[::1"},
    ],
)
def test_another_site_may_not_change_anything(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.post(SAMPLE, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "cross_site_request")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
    ],
)
def test_our_page_and_programs_may(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post(SAMPLE, headers=headers).status_code == 202


def test_another_site_may_not_delete(client: FlaskClient, jobs: Jobs) -> None:
    address = f"/api/v1/jobs/{jobs.completed().id}"
    assert client.delete(address, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get(address).status_code == 200
