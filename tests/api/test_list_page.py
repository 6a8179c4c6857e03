"""The page of the list and its pieces, as a filter narrows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.makers import Jobs
from voice_transcriber.web.shapes import time_text


def row_ids(answer: Any) -> Sequence[str]:
    return [row["id"] for row in answer.json["rows"]]


def test_the_address_holds_the_filter(client: FlaskClient, jobs: Jobs) -> None:
    jobs.failed(filename="lost.wav")
    jobs.cancelled(filename="left.wav")
    html = client.get("/?status=failed&q=LOS").text
    assert "lost.wav" in html
    assert "left.wav" not in html
    assert 'value="LOS"' in html
    assert 'href="/?status=queued&amp;q=LOS"' in html  # another view keeps the search


def test_an_unknown_state_is_told_and_a_foreign_parameter_is_not_minded(
    client: FlaskClient, jobs: Jobs
) -> None:
    assert client.get("/?status=asleep").status_code == 400
    assert jobs.queued(filename="a.wav").filename in client.get("/?utm_source=mail").text


def test_rows_come_filtered_with_the_counts_of_all(client: FlaskClient, jobs: Jobs) -> None:
    failed = jobs.failed(filename="talk.wav")
    jobs.queued(filename="talk.wav")
    answer = client.get("/ui/jobs?status=failed,cancelled&q=TALK")
    assert row_ids(answer) == [failed.id]
    assert (answer.json["counts"]["failed"], answer.json["counts"]["queued"]) == (1, 1)


def test_a_job_that_leaves_the_filter_is_told_as_gone(client: FlaskClient, jobs: Jobs) -> None:
    job = jobs.queued(filename="Äpfel.wav")
    since = client.get("/ui/changes?since=0&status=queued").json["revision"]
    jobs.claim()
    answer = client.get(f"/ui/changes?since={since}&status=queued")
    assert (row_ids(answer), answer.json["deleted"]) == ([], [job.id])
    answer = client.get(f"/ui/changes?since={since}&status=running&q=%C3%84PFEL")
    assert (row_ids(answer), answer.json["deleted"]) == ([job.id], [])


def test_an_end_is_news_whatever_the_page_shows(client: FlaskClient, jobs: Jobs) -> None:
    done, failed = jobs.completed(), jobs.failed()
    jobs.cancelled()
    answer = client.get("/ui/changes?since=0&status=queued").json
    assert answer["ended"] == [
        {
            "id": job.id,
            "filename": job.filename,
            "status": job.status,
            "finished_at": time_text(job.finished_at),
        }
        for job in (done, failed)
    ]
    assert answer["counts"]["cancelled"] == 1


@pytest.mark.parametrize("query", ["status=asleep", "q=" + "x" * 201, "page=2"])
def test_a_wrong_filter_is_refused(client: FlaskClient, query: str) -> None:
    assert client.get(f"/ui/changes?since=0&{query}").status_code == 400
