"""GET /api/v1/jobs/{id}"""

from __future__ import annotations

from datetime import UTC, datetime

from flask.testing import FlaskClient

from tests.contract.makers import PROGRESS, Jobs, result_of, window_at
from voice_transcriber.job import TranscribeOptions
from voice_transcriber.services import Services


def test_it_shows_all_of_a_job(client: FlaskClient, jobs: Jobs) -> None:
    job = client.get(f"/api/v1/jobs/{jobs.queued().id}").json
    expected = {
        "id", "status", "filename", "model", "language", "task", "priority", "created_at",
        "started_at", "finished_at", "queue_position", "percent", "eta_s", "stage", "attempt",
        "chunks", "text_so_far", "duration_s", "cached", "error", "timings",
    }  # fmt: skip
    assert expected <= job.keys()
    assert job["queue_position"] == 1
    assert job["started_at"] is None


def test_it_tells_what_was_asked(client: FlaskClient, jobs: Jobs) -> None:
    asked = TranscribeOptions(model="demo", prompt="Of numbers.", from_s=1.5, audio_track=2)
    job = client.get(f"/api/v1/jobs/{jobs.queued(options=asked).id}").json
    assert job["options"] == {
        "prompt": "Of numbers.",
        "hotwords": None,
        "word_timestamps": False,
        "vad_filter": True,
        "from": 1.5,
        "to": None,
        "audio_track": 2,
    }


def test_times_are_rfc_3339_in_utc(client: FlaskClient, jobs: Jobs) -> None:
    job = jobs.completed()
    shown = client.get(f"/api/v1/jobs/{job.id}").json
    assert shown["created_at"].endswith("Z")
    told = datetime.fromisoformat(shown["finished_at"])
    assert abs((told - datetime.fromtimestamp(job.finished_at or 0, UTC)).total_seconds()) < 0.001


def test_a_running_job_shows_its_text_so_far(
    client: FlaskClient, jobs: Jobs, services: Services
) -> None:
    claim = jobs.planned(windows=2)
    services.store.finish_windows(claim, [result_of(window_at(0), " Half of it.")], PROGRESS)
    job = client.get(f"/api/v1/jobs/{claim.job_id}").json
    assert job["text_so_far"] == "Half of it."
    (segment,) = job["segments"]
    assert segment == {"start": 0.0, "end": 0.9, "text": "Half of it.", "language": None}
    assert [chunk["index"] for chunk in job["chunks"]] == [0]
    assert job["percent"] == 50.0


def test_a_failed_job_tells_why_and_what_to_do(client: FlaskClient, jobs: Jobs) -> None:
    job = client.get(f"/api/v1/jobs/{jobs.failed().id}").json
    assert job["status"] == "failed"
    assert job["error"]["code"] == "engine_crashed"
    assert job["error"]["remedy"]


def test_a_job_tells_what_it_waits_for(client: FlaskClient, jobs: Jobs, services: Services) -> None:
    claim = jobs.running()
    sentence = "Waits for room on the disk: at least 445 MB must be free."
    services.store.release(claim, waits_for=sentence)
    assert client.get(f"/api/v1/jobs/{claim.job_id}").json["waits_for"] == sentence
    assert sentence in client.get(f"/jobs/{claim.job_id}").text
    assert sentence in client.get("/ui/jobs").json["rows"][0]["html"]


def test_an_unknown_job_is_not_found(client: FlaskClient) -> None:
    answer = client.get("/api/v1/jobs/nothing")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
