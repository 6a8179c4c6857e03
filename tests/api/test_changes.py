"""GET /api/v1/jobs/changes"""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.makers import Jobs
from voice_transcriber.services import Services


def changes(client: FlaskClient, since: int, **headers: str) -> Any:
    return client.get(f"/api/v1/jobs/changes?since={since}", headers=headers)


def test_it_tells_what_is_new_and_what_is_gone(
    client: FlaskClient, jobs: Jobs, services: Services
) -> None:
    gone = jobs.cancelled()
    since = changes(client, 0).json["revision"]
    services.store.delete(gone.id)
    new = jobs.queued()
    answer = changes(client, since).json
    assert [job["id"] for job in answer["jobs"]] == [new.id]
    assert answer["deleted"] == [gone.id]
    assert answer["queue"] == [new.id]
    assert not answer["reset"]


def test_nothing_new_is_an_empty_answer(client: FlaskClient, jobs: Jobs) -> None:
    waiting = jobs.queued()
    since = changes(client, 0).json["revision"]
    answer = changes(client, since).json
    assert (answer["revision"], answer["jobs"], answer["deleted"]) == (since, [], [])
    assert answer["queue"] == [waiting.id]


def test_the_etag_of_the_last_answer_gives_304_until_something_happens(
    client: FlaskClient, jobs: Jobs
) -> None:
    jobs.queued()
    first = changes(client, 0)
    since, etag = first.json["revision"], first.headers["ETag"]
    again = changes(client, since, If_None_Match=etag)
    assert (again.status_code, again.data) == (304, b"")
    jobs.queued()
    assert changes(client, since, If_None_Match=etag).status_code == 200


def test_304_does_not_touch_the_database(
    client: FlaskClient, jobs: Jobs, services: Services
) -> None:
    jobs.queued()
    first = changes(client, 0)
    services.store.close()
    since = first.json["revision"]
    assert changes(client, since, If_None_Match=first.headers["ETag"]).status_code == 304
    assert changes(client, since).json["jobs"] == []


def test_the_pace_follows_what_there_is_to_see(client: FlaskClient, jobs: Jobs) -> None:
    assert changes(client, 0).json["next_poll_ms"] == 30_000
    jobs.queued()
    since = changes(client, 0).json["revision"]
    assert changes(client, since).json["next_poll_ms"] == 5_000
    jobs.claim()
    since = changes(client, since).json["revision"]
    assert changes(client, since).json["next_poll_ms"] == 1_000


def test_many_changes_come_in_parts_without_a_pause(client: FlaskClient, jobs: Jobs) -> None:
    expected = [jobs.queued().id for _ in range(250)]
    first = changes(client, 0).json
    assert first["next_poll_ms"] == 100
    rest = changes(client, first["revision"]).json
    assert [job["id"] for job in [*first["jobs"], *rest["jobs"]]] == expected


def test_a_revision_of_another_database_asks_to_load_anew(client: FlaskClient) -> None:
    assert changes(client, 10_000).json["reset"]


@pytest.mark.parametrize("query", ["", "since=", "since=-1", "since=x"])
def test_a_wrong_revision_is_refused(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/api/v1/jobs/changes?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
