"""GET /api/v1/jobs/{id}/transcript.{format}"""

from __future__ import annotations

import io
import json

import docx
import pytest
from flask.testing import FlaskClient

from tests.contract.makers import Jobs


@pytest.mark.parametrize(
    ("name", "content_type", "start"),
    [
        ("txt", "text/plain; charset=utf-8", "All of it."),
        ("srt", "application/x-subrip; charset=utf-8", "1\n00:00:00,000 --> 00:00:00,900"),
        ("vtt", "text/vtt; charset=utf-8", "WEBVTT\n\n00:00.000 --> 00:00.900\nAll of it."),
        ("tsv", "text/tab-separated-values; charset=utf-8", "start\tend\ttext\n0\t900\t"),
        ("csv", "text/csv; charset=utf-8", '\ufeff"start","end","text"\r\n'),
        ("json", "application/json", '{"schema": 1'),
        ("whisper.json", "application/json", '{"text": "All of it."'),
        ("lrc", "text/plain; charset=utf-8", "[00:00.00]All of it."),
        ("html", "text/html; charset=utf-8", "<!doctype html>"),
    ],
)
def test_it_gives_each_format(
    client: FlaskClient, jobs: Jobs, name: str, content_type: str, start: str
) -> None:
    answer = client.get(f"/api/v1/jobs/{jobs.completed().id}/transcript.{name}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == content_type
    assert answer.text.startswith(start)


def test_docx_is_a_word_document_titled_after_the_recording(
    client: FlaskClient, jobs: Jobs
) -> None:
    answer = client.get(f"/api/v1/jobs/{jobs.completed(filename='talk.mp3').id}/transcript.docx")
    assert answer.headers["Content-Type"].endswith("wordprocessingml.document")
    document = docx.Document(io.BytesIO(answer.data))
    assert [one.text for one in document.paragraphs] == ["talk", "00:00:00  All of it."]


def test_options_shape_it(client: FlaskClient, jobs: Jobs) -> None:
    address = f"/api/v1/jobs/{jobs.completed().id}/transcript"
    assert client.get(f"{address}.txt?max_line_width=8").text == "All of\nit.\n"
    assert client.get(f"{address}.txt?times=true").text == "[00:00:00] All of it.\n"
    assert client.get(f"{address}.txt?from=0.9&to=30").text == ""
    assert client.get(f"{address}.srt?max_cps=5").text.startswith("1\n00:00:00,000 --> 00:00:02,")
    assert client.get(f"{address}.txt?max_line_width=&from=").text == "All of it.\n"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("max_line_width=wide", "max_line_width"),
        ("max_line_width=4", "max_line_width"),
        ("max_lines=2", "max_lines"),
        ("max_cps=nan", "max_cps"),
        ("from=-1", "from"),
        ("to=1h", "to"),
        ("from=9&to=3", "to"),
        ("times=maybe", "times"),
        ("width=40", "max_line_width, max_lines, max_cps, from, to, times"),
    ],
)
def test_a_wrong_option_is_named_with_its_remedy(
    client: FlaskClient, jobs: Jobs, query: str, named: str
) -> None:
    answer = client.get(f"/api/v1/jobs/{jobs.completed().id}/transcript.srt?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    assert named in answer.json["remedy"]


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
    answer = client.get(f"/api/v1/jobs/{jobs.completed().id}/transcript.doc")
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_format")
    assert "txt" in answer.json["remedy"]


def test_a_job_that_is_not_done_has_none(client: FlaskClient, jobs: Jobs) -> None:
    answer = client.get(f"/api/v1/jobs/{jobs.queued().id}/transcript.txt")
    assert (answer.status_code, answer.json["code"]) == (409, "wrong_state")
