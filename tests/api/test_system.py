"""GET /api/v1/system and /api/v1/system/history"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.makers import Jobs
from voice_transcriber import __version__
from voice_transcriber.services import Services


def history(client: FlaskClient, since: float = 0) -> dict[str, Any]:
    answer = client.get(f"/api/v1/system/history?since={since}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json
    return found


def columns(value: Any) -> Iterator[list[Any]]:
    """Every column in the answer's samples, however deep."""
    if isinstance(value, dict):
        for one in value.values():
            yield from columns(one)
    elif isinstance(value, list):
        yield value


def test_the_figures_of_now(client: FlaskClient, jobs: Jobs, services: Services) -> None:
    jobs.queued()
    body = client.get("/api/v1/system").json
    sample = services.system.now()
    assert body["version"] == __version__
    assert body["queue"] == {"queued": 1, "running": 0}
    assert body["cpu"] == {"percent": sample.machine.cpu_percent, "cores": sample.machine.cores}
    assert body["memory"]["total_bytes"] == sample.machine.memory_total_bytes
    assert body["disk"] == {
        "free_bytes": sample.disk_free_bytes,
        "total_bytes": sample.disk_total_bytes,
    }
    assert set(body["processes"]) == {"web", "engine", "decoders"}
    assert body["processes"]["web"]["memory_bytes"] > 0
    assert len(body["gpus"]) == len(sample.gpus)


def test_an_engine_that_was_never_needed(client: FlaskClient) -> None:
    body = client.get("/api/v1/system").json
    assert body["engine"] == {
        "name": "fake",
        "running": False,
        "models": [],
        "loading": None,
        "restarts": 0,
        "remote": None,
    }
    assert body["speed"] == {"jobs": 0, "real_time_factor": None}


def test_a_history_that_has_not_begun(client: FlaskClient) -> None:
    body = history(client)
    assert (body["until"], body["reset"], body["samples"]["time"]) == (0.0, False, [])
    assert body["jobs"] == {"time": [], "model": [], "real_time_factor": []}


def test_every_column_has_an_entry_for_each_sample(client: FlaskClient, services: Services) -> None:
    for _ in range(3):
        services.system.sample()
    body = history(client)
    assert [len(column) for column in columns(body["samples"]) if column] == [3] * 12
    assert body["until"] == body["samples"]["time"][-1]


def test_only_what_is_new_is_told(client: FlaskClient, services: Services) -> None:
    services.system.sample()
    known = history(client)["until"]
    assert history(client, known)["samples"]["time"] == []
    newer = services.system.sample()
    assert history(client, known)["samples"]["time"] == [newer.time]


def test_a_time_to_come_is_answered_with_all(client: FlaskClient, services: Services) -> None:
    sample = services.system.sample()
    body = history(client, sample.time + 100)
    assert (body["reset"], body["samples"]["time"]) == (True, [sample.time])


@pytest.mark.parametrize("query", ["since=x", "since=-1", "since=nan", "since=inf", "until=1"])
def test_a_wrong_question_is_refused(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/api/v1/system/history?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    assert answer.json["remedy"]
