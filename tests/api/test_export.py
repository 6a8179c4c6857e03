"""GET and POST /api/v1/jobs/export: many transcripts as one zip"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import httpx
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.contract.makers import Jobs
from voice_transcriber.services import Services
from voice_transcriber.transcript.exporters.options import ExportOptions
from voice_transcriber.web import api_job_files
from voice_transcriber.web.archive import transcript_files, zipped

ADDRESS = "/api/v1/jobs/export"


def unpacked(body: bytes) -> Mapping[str, str]:
    archive = zipfile.ZipFile(io.BytesIO(body))
    assert archive.testzip() is None
    return {name: archive.read(name).decode() for name in archive.namelist()}


def asked(client: FlaskClient, **query: str) -> TestResponse:
    return client.get(ADDRESS, query_string=query)


def test_it_holds_a_file_of_each_format_for_each_job(client: FlaskClient, jobs: Jobs) -> None:
    one, two = jobs.completed(filename="one.mp3"), jobs.completed(filename="two.wav")
    answer = asked(client, ids=f"{one.id},{two.id}", formats="txt,srt")
    assert answer.headers["Content-Type"] == "application/zip"
    assert "transcripts.zip" in answer.headers["Content-Disposition"]
    files = unpacked(answer.data)
    assert list(files) == ["one.txt", "one.srt", "two.txt", "two.srt"]
    assert files["two.txt"] == "All of it.\n"


def test_files_of_one_name_are_kept_apart(client: FlaskClient, jobs: Jobs) -> None:
    ids = [jobs.completed(filename=name).id for name in ("a.mp3", "A.wav", "b/../a.ogg")]
    files = unpacked(asked(client, ids=",".join(ids), formats="txt").data)
    assert list(files) == ["a.txt", "A (2).txt", "a (3).txt"]


def test_a_name_cannot_lead_out_of_the_folder_it_is_unpacked_in(
    client: FlaskClient, jobs: Jobs
) -> None:
    job = jobs.completed(filename="..\\..\\/etc/\x00nul.mp3")
    assert list(unpacked(asked(client, ids=job.id, formats="txt").data)) == ["_nul.txt"]


def test_options_shape_all_of_them(client: FlaskClient, jobs: Jobs) -> None:
    job = jobs.completed(filename="a.mp3")
    answer = asked(client, ids=job.id, formats="txt,json", max_line_width="8")
    assert unpacked(answer.data)["a.txt"] == "All of\nit.\n"


def test_post_takes_more_ids_than_an_address_can_hold(client: FlaskClient, jobs: Jobs) -> None:
    job = jobs.completed(filename="a.mp3")
    ids = ",".join([job.id, *[job.id] * 5_000])
    answer = client.post(ADDRESS, data={"ids": ids, "formats": "txt"})
    assert list(unpacked(answer.data)) == ["a.txt"]


def test_ids_may_be_repeated_instead_of_joined(client: FlaskClient, jobs: Jobs) -> None:
    one, two = jobs.completed(filename="one.mp3"), jobs.completed(filename="two.mp3")
    answer = client.get(f"{ADDRESS}?ids={one.id}&ids={two.id}&formats=txt")
    assert list(unpacked(answer.data)) == ["one.txt", "two.txt"]


def test_a_job_that_is_not_there_is_named(client: FlaskClient, jobs: Jobs) -> None:
    answer = asked(client, ids=f"{jobs.completed().id},nobody", formats="txt")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert "nobody" in answer.json["detail"]


def test_a_job_without_a_transcript_is_named(client: FlaskClient, jobs: Jobs) -> None:
    job = jobs.failed()
    answer = asked(client, ids=job.id, formats="txt")
    assert (answer.status_code, answer.json["code"]) == (409, "wrong_state")
    assert job.id in answer.json["detail"]


@pytest.mark.parametrize(
    ("query", "status", "named"),
    [
        ({"formats": "txt"}, 400, "ids"),
        ({"ids": "JOB"}, 400, "formats"),
        ({"ids": "JOB", "formats": "txt,doc"}, 404, "docx"),
        ({"ids": "JOB", "formats": "txt", "max_lines": "2"}, 400, "max_lines"),
        ({"ids": "JOB", "formats": "txt", "format": "srt"}, 400, "formats"),
        ({"ids": ",".join(map(str, range(1_001))), "formats": "txt"}, 400, "ids"),
    ],
)
def test_a_wrong_request_is_told_before_anything_is_sent(
    client: FlaskClient, jobs: Jobs, query: dict[str, str], status: int, named: str
) -> None:
    job = jobs.completed()
    answer = asked(client, **{name: text.replace("JOB", job.id) for name, text in query.items()})
    assert answer.status_code == status
    assert named in answer.json["remedy"]


def test_a_job_that_is_deleted_meanwhile_is_named_in_the_archive(
    services: Services, jobs: Jobs
) -> None:
    stays, goes = jobs.completed(filename="stays.mp3"), jobs.completed(filename="goes.mp3")
    members = transcript_files(
        [stays, goes], ["txt"], ExportOptions(), read=services.store.transcript
    )
    first = next(members)
    services.store.delete(goes.id)
    with zipped(chain([first], members)) as archive:
        files = unpacked(archive.read())
    assert list(files) == ["stays.txt", "left out.txt"]
    assert "goes.mp3" in files["left out.txt"]


def test_a_full_disk_is_told_and_nothing_is_kept(
    client: FlaskClient, jobs: Jobs, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    job = jobs.completed()
    (small_disk / "filler").write_bytes(bytes(2**21))
    answer = asked(client, ids=job.id, formats="docx")
    assert (answer.status_code, answer.json["code"]) == (507, "disk_full")
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_only_a_few_are_made_at_a_time(client: FlaskClient, jobs: Jobs) -> None:
    with ExitStack() as others:
        for _ in range(api_job_files.ARCHIVES_AT_ONCE):
            others.enter_context(api_job_files._archives)
        answer = asked(client, ids=jobs.completed().id, formats="txt")
        assert (answer.status_code, answer.json["code"]) == (503, "busy")
        assert answer.headers["Retry-After"]
    assert asked(client, ids=jobs.completed().id, formats="txt").status_code == 200


def test_the_real_server_sends_it(web: httpx.Client, jobs: Jobs) -> None:
    ids = [jobs.completed(filename=f"{number}.mp3").id for number in range(5)]
    answer = web.post(ADDRESS, data={"ids": ids, "formats": "txt,docx"})
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert len(zipfile.ZipFile(io.BytesIO(answer.content)).namelist()) == 10
