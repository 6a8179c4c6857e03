"""The pages and their pieces; tests/browser looks at them in a browser."""

from __future__ import annotations

from dataclasses import asdict

from flask.testing import FlaskClient

from tests.contract.makers import Jobs, transcript_of
from voice_transcriber.engines.protocol import on_cpu_because
from voice_transcriber.services import Services

HOSTILE = '<img src=x onerror="alert(1)">&.wav'


def test_names_and_texts_are_escaped_everywhere(
    client: FlaskClient, jobs: Jobs, services: Services
) -> None:
    job = jobs.completed(filename=HOSTILE)
    rows = client.get("/ui/jobs").json["rows"][0]["html"]
    for html in (client.get("/").text, client.get(f"/jobs/{job.id}").text, rows):
        assert "<img src=x" not in html
        assert "&lt;img src=x onerror=" in html


def test_nothing_is_inline(client: FlaskClient, jobs: Jobs) -> None:
    for path in ("/", f"/jobs/{jobs.completed().id}", "/login"):
        html = client.get(path).text
        assert " style=" not in html
        assert " onclick=" not in html
        assert "<script>" not in html


def test_the_picker_says_what_would_be_downloaded(client: FlaskClient) -> None:
    html = client.get("/").text
    assert "145 MB download" in html
    assert "It will be downloaded (145 MB)" in html


def test_changes_come_as_rows(client: FlaskClient, jobs: Jobs) -> None:
    job = jobs.queued()
    answer = client.get("/ui/changes?since=0").json
    assert [row["id"] for row in answer["rows"]] == [job.id]
    assert "next in line" in answer["rows"][0]["html"]


def test_older_rows_come_by_the_cursor(client: FlaskClient, jobs: Jobs) -> None:
    for _ in range(60):
        jobs.queued()
    first = client.get("/ui/jobs").json
    second = client.get(f"/ui/jobs?cursor={first['next_cursor']}").json
    assert (len(first["rows"]), len(second["rows"])) == (50, 10)
    assert second["next_cursor"] is None


def test_an_unknown_job_has_no_page(client: FlaskClient) -> None:
    assert client.get("/jobs/nothing", headers={"Accept": "text/html"}).status_code == 404


def test_a_video_gets_a_video_player(client: FlaskClient, jobs: Jobs) -> None:
    assert "<video" in client.get(f"/jobs/{jobs.completed(filename='a.mp4').id}").text
    assert "<audio" in client.get(f"/jobs/{jobs.completed(filename='a.mp3').id}").text


def test_the_page_says_what_a_job_was_computed_on(client: FlaskClient, jobs: Jobs) -> None:
    claim = jobs.running()
    place = on_cpu_because("CUDA names no <GPU>.")
    jobs.store.complete(claim, transcript_of("All of it."), asdict(place))
    html = client.get(f"/jobs/{claim.job_id}").text
    assert "CPU, float32" in html
    assert "The GPU could not be used: CUDA names no &lt;GPU&gt;. The CPU was used." in html
