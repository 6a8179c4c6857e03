"""GET /api/v1/jobs"""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.contract.makers import Jobs


def ids(client: FlaskClient, query: str = "") -> list[str]:
    return [job["id"] for job in client.get(f"/api/v1/jobs?{query}").json["jobs"]]


def test_it_lists_the_newest_first(client: FlaskClient, jobs: Jobs) -> None:
    first, second = jobs.queued(), jobs.queued()
    assert ids(client) == [second.id, first.id]


def test_pages_follow_each_other_without_gap(client: FlaskClient, jobs: Jobs) -> None:
    expected = [jobs.queued().id for _ in range(5)][::-1]
    page = client.get("/api/v1/jobs?limit=2").json
    found = [job["id"] for job in page["jobs"]]
    assert page["total"] == 5
    while page["next_cursor"] is not None:
        page = client.get(f"/api/v1/jobs?limit=2&cursor={page['next_cursor']}").json
        found += [job["id"] for job in page["jobs"]]
    assert found == expected


def test_it_filters_by_status(client: FlaskClient, jobs: Jobs) -> None:
    failed, done = jobs.failed(), jobs.completed()
    jobs.queued()
    assert ids(client, "status=failed") == [failed.id]
    assert ids(client, "status=failed,completed") == [done.id, failed.id]
    assert ids(client, "status=failed&status=completed") == [done.id, failed.id]


def test_it_finds_a_literal_part_of_the_name(client: FlaskClient, jobs: Jobs) -> None:
    talk = jobs.queued(filename="Talk 100%.wav")
    jobs.queued(filename="other.wav")
    assert ids(client, "q=talk") == [talk.id]
    assert ids(client, "q=%25") == [talk.id]
    assert ids(client, "q=%27%20OR%201=1") == []


def test_waiting_jobs_tell_their_place(client: FlaskClient, jobs: Jobs) -> None:
    jobs.queued(), jobs.queued()
    places = [job["queue_position"] for job in client.get("/api/v1/jobs").json["jobs"]]
    assert places == [2, 1]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=-1", "cursor"),
        (f"cursor={2**63}", "cursor"),
        (f"cursor={10**30}", "cursor"),
        ("sha256=abc", "sha256"),
        ("status=asleep", "status"),
        ("page=2", "page"),
    ],
)
def test_a_wrong_parameter_is_named(client: FlaskClient, query: str, named: str) -> None:
    answer = client.get(f"/api/v1/jobs?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    assert named in answer.json["detail"]
