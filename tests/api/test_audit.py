"""The audit log over HTTP: what is in it, what is not, and that nothing is left out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.contract.makers import Jobs
from tests.running import until
from voice_transcriber.services import Services, report_of
from voice_transcriber.web.audit import ACTIONS
from voice_transcriber.web.auth import SAFE_METHODS

KEY = "correct-horse-battery-staple"
BEARER = {"Authorization": f"Bearer {KEY}"}

# Views whose changes the store records itself, in the same transaction.
RECORDED_BY_STORE = {
    *("jobs.submit", "jobs.submit_sample", "jobs.change", "jobs.cancel", "jobs.retry"),
    *("jobs.delete", "jobs.bulk"),
}
# Bytes of an upload are no change that anybody else sees: the job that is made of them is.
NO_CHANGE_YET = {"files.create", "files.append", "files.overridden", "files.terminate"}


@pytest.fixture
def environment() -> dict[str, str]:
    return {"API_KEY": KEY}


def entries(client: FlaskClient, **query: Any) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/audit", query_string=query, headers=BEARER)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json["entries"]
    return found


def actions(client: FlaskClient) -> list[str]:
    """Oldest first."""
    return [entry["action"] for entry in reversed(entries(client, limit=200))]


def await_entry(client: FlaskClient, action: str) -> dict[str, Any]:
    """What changes nothing in the store is written soon after."""
    until(lambda: action in actions(client))
    return next(entry for entry in entries(client) if entry["action"] == action)


def test_a_submission_is_in_it_with_its_caller(
    client: FlaskClient, services: Services, submit: Callable[..., TestResponse]
) -> None:
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {KEY}"
    job = submit().json["id"]
    (entry,) = entries(client)
    assert (entry["actor"], entry["action"], entry["subject"]) == (
        "key 127.0.0.1",
        "job.submit",
        job,
    )
    assert services.store.verify_audit().head == entry["hash"]


def test_signing_in_and_what_is_done_then(client: FlaskClient, jobs: Jobs) -> None:
    job = jobs.completed()
    client.post("/login", data={"key": KEY})
    assert await_entry(client, "login")["actor"] == "stranger 127.0.0.1"
    client.delete(f"/api/v1/jobs/{job.id}")
    deleted = await_entry(client, "job.delete")
    assert (deleted["actor"], deleted["subject"]) == ("session 127.0.0.1", job.id)
    client.post("/logout")
    await_entry(client, "logout")


def test_a_wrong_key_is_in_it_once_and_never_itself(client: FlaskClient) -> None:
    for _ in range(3):
        client.get("/api/v1/jobs", headers={"X-API-Key": "wrong-key-of-some-program"})
    client.post("/login", data={"key": "another-wrong-key"})
    until(lambda: actions(client).count("key.wrong") == 2)
    found = [entry for entry in entries(client) if entry["action"] == "key.wrong"]
    assert {entry["actor"] for entry in found} == {"stranger 127.0.0.1"}
    assert "wrong-key" not in str(entries(client))


def test_a_transcript_that_is_taken_out_is_in_it(client: FlaskClient, jobs: Jobs) -> None:
    one, two = jobs.completed(), jobs.completed()
    client.get(f"/api/v1/jobs/{one.id}/transcript.txt", headers=BEARER)
    assert await_entry(client, "transcript.read")["subject"] == f"{one.id} txt"
    query = {"ids": f"{one.id},{two.id}", "formats": "txt"}
    client.get("/api/v1/jobs/export", query_string=query, headers=BEARER)
    await_entry(client, "transcript.export")
    exported = [e["subject"] for e in entries(client) if e["action"] == "transcript.export"]
    assert exported == [two.id, one.id]


def test_what_was_refused_is_not_in_it_as_done(client: FlaskClient, jobs: Jobs) -> None:
    client.get(f"/api/v1/jobs/{jobs.failed().id}/transcript.txt", headers=BEARER)
    client.get("/api/v1/jobs/nobody/audio", headers=BEARER)
    client.delete("/api/v1/models/no-such-model", headers=BEARER)
    client.post("/logout", headers=BEARER)
    await_entry(client, "logout")
    assert set(actions(client)) == {"job.submit", "logout"}


def test_it_is_read_in_pages(client: FlaskClient, jobs: Jobs) -> None:
    for _ in range(5):
        jobs.queued()
    first = client.get("/api/v1/audit", query_string={"limit": 3}, headers=BEARER).json
    rest = client.get(
        "/api/v1/audit", query_string={"cursor": first["next_cursor"]}, headers=BEARER
    ).json
    assert [entry["seq"] for entry in first["entries"] + rest["entries"]] == [5, 4, 3, 2, 1]
    assert rest["next_cursor"] is None


def test_no_view_that_changes_something_is_left_out(app: Flask) -> None:
    changing = {
        rule.endpoint for rule in app.url_map.iter_rules() if (rule.methods or set()) - SAFE_METHODS
    }
    assert changing - set(ACTIONS) - RECORDED_BY_STORE - NO_CHANGE_YET == set()
    assert set(ACTIONS) <= set(app.view_functions)


def test_nothing_changes_it_by_http(client: FlaskClient, app: Flask) -> None:
    methods = {
        method
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/audit")
        for method in rule.methods or set()
    }
    assert methods == {"GET", "HEAD", "OPTIONS"}


def test_check_verifies_the_chain(services: Services, jobs: Jobs) -> None:
    jobs.queued()
    sound = report_of(services.settings)
    assert sound is not None
    head = services.store.verify_audit().head
    assert f"audit log: 1 entries, the newest hash is {head}" in sound.facts
    with closing(sqlite3.connect(services.settings.data_dir / "jobs.db")) as database, database:
        database.execute("UPDATE audit SET actor = 'nobody'")
    changed = report_of(services.settings)
    assert changed is not None
    assert any(one.startswith("Entry 1 of the audit log was changed.") for one in changed.problems)
