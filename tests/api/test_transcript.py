"""GET /api/v1/jobs/{id}/transcript.{txt,srt,json}"""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from tests.contract.makers import Jobs


@pytest.mark.parametrize(
    ("name", "content_type", "start"),
    [
        ("txt", "text/plain; charset=utf-8", "All of it."),
        ("srt", "application/x-subrip; charset=utf-8", "1\n00:00:00,000 --> 00:00:00,900"),
        ("json", "application/json", "{"),
    ],
)
def test_it_gives_each_format(
    client: FlaskClient, jobs: Jobs, name: str, content_type: str, start: str
) -> None:
    answer = client.get(f"/api/v1/jobs/{jobs.completed().id}/transcript.{name}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == content_type
    assert answer.text.startswith(start)


def test_json_holds_the_segments(client: FlaskClient, jobs: Jobs) -> None:
    answer = client.get(f"/api/v1/jobs/{jobs.completed().id}/transcript.json")
    assert json.loads(answer.text)["segments"][0]["text"] == "All of it."


def test_it_is_a_download_named_after_the_recording(client: FlaskClient, jobs: Jobs) -> None:
    job = jobs.completed(filename='Gr\u00fc\u00dfe "an" alle; 会議.wav')
    disposition = client.get(f"/api/v1/jobs/{job.id}/transcript.srt").headers["Content-Disposition"]
    assert disposition == (
        'attachment; filename="Grue _an_ alle_ .srt"; '
        "filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%22an%22%20alle%3B%20%E4%BC%9A%E8%AD%B0.srt"
    ).replace("Grue", "Grue")


def test_a_format_that_is_not_there_is_named(client: FlaskClient, jobs: Jobs) -> None:
    answer = client.get(f"/api/v1/jobs/{jobs.completed().id}/transcript.docx")
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_format")
    assert "txt" in answer.json["remedy"]


def test_a_job_that_is_not_done_has_none(client: FlaskClient, jobs: Jobs) -> None:
    answer = client.get(f"/api/v1/jobs/{jobs.queued().id}/transcript.txt")
    assert (answer.status_code, answer.json["code"]) == (409, "wrong_state")
