"""GET and DELETE /api/v1/cache, and what a submit has to do with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.contract.makers import Jobs, transcript_of
from voice_transcriber.results.contents import packed_transcript
from voice_transcriber.services import Services
from voice_transcriber.store.results import KnownAnswer, ResultNotes
from voice_transcriber.store.rows import transcript_to_column

Submit = Callable[..., TestResponse]


def completed(jobs: Jobs, key: str) -> str:
    """A job whose result is kept."""
    claim, transcript = jobs.running(), transcript_of("All of it.")
    jobs.store.complete(claim, transcript, {}, ResultNotes(made=packed_transcript(key, transcript)))
    return claim.job_id


def test_an_empty_cache(client: FlaskClient) -> None:
    nothing = {"entries": 0, "size_bytes": 0}
    assert client.get("/api/v1/cache").json == {
        "enabled": True,
        "on_disk": True,
        "hits": 0,
        "misses": 0,
        "hit_rate": None,
        "chunk_hits": 0,
        "memory": nothing,
        "disk": nothing,
    }


def test_figures(client: FlaskClient, jobs: Jobs, services: Services) -> None:
    completed(jobs, "one")
    services.results.hits, services.results.misses = 1, 2
    body = client.get("/api/v1/cache").json
    assert body["disk"]["entries"] == 1
    assert body["disk"]["size_bytes"] > 0
    assert body["hit_rate"] == 0.3333
    assert client.get("/api/v1/system").json["cache"] == body


def test_all_is_forgotten(client: FlaskClient, jobs: Jobs) -> None:
    kept = [completed(jobs, key) for key in ("one", "two")]
    assert client.delete("/api/v1/cache").json == {"removed": 2}
    assert client.get("/api/v1/cache").json["disk"]["entries"] == 0
    assert client.get(f"/api/v1/jobs/{kept[0]}/transcript.txt").status_code == 200


def test_one_recording_is_forgotten(client: FlaskClient, jobs: Jobs) -> None:
    job_id = completed(jobs, "one")
    completed(jobs, "two")
    assert client.delete(f"/api/v1/cache/{job_id}").json == {"removed": 1}
    assert client.get("/api/v1/cache").json["disk"]["entries"] == 1


def test_an_unknown_job_has_nothing_to_forget(client: FlaskClient) -> None:
    answer = client.delete("/api/v1/cache/none")
    assert answer.status_code == 404
    assert answer.json["code"] == "not_found"


def test_a_known_job_says_so(client: FlaskClient, jobs: Jobs) -> None:
    completed(jobs, "one")
    job = jobs.queued()
    answer = KnownAnswer(
        key="one",
        content=transcript_to_column(transcript_of("All of it.")),
        duration_s=60.0,
        language="en",
        language_probability=None,
        text_tail="All of it.",
        performance={"cached": True},
    )
    jobs.store.complete_queued(job.id, answer)
    assert client.get(f"/api/v1/jobs/{job.id}").json["cached"] is True
    assert "known already" in client.get(f"/jobs/{job.id}").text
    assert "known already" in client.get("/").text


def test_a_job_may_ask_to_be_computed_anew(submit: Submit, services: Services) -> None:
    job_id = submit(cache="false").json["id"]
    assert services.store.get(job_id).options.use_cache is False
    assert services.store.get(submit().json["id"]).options.use_cache is True


@pytest.fixture
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    return getattr(request, "param", {})


@pytest.mark.parametrize("environment", [{"ENABLE_CACHE": "false"}], indirect=True)
def test_a_cache_that_is_off_says_so(client: FlaskClient) -> None:
    assert client.get("/api/v1/cache").json["enabled"] is False
    assert "Recordings that come again" not in client.get("/system").text


def test_the_system_page_tells_what_is_kept(client: FlaskClient, jobs: Jobs) -> None:
    assert "No results are kept yet." in client.get("/system").text
    completed(jobs, "one")
    assert "1 result is kept" in client.get("/system").text
