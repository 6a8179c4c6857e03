"""POST /api/v1/jobs"""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import SPEECH, stored_files
from tests.contract.makers import Jobs
from voice_transcriber.job import JobStatus, Priority, TranscribeOptions
from voice_transcriber.services import Services
from voice_transcriber.web.uploads import FORM_OVERHEAD_BYTES, clean_filename

Submit = Callable[..., TestResponse]


@pytest.fixture
def environment() -> dict[str, str]:
    return {"MAX_FILE_SIZE": "1MB", "MAX_QUEUE_SIZE": "2"}


def test_it_accepts_a_file_and_tells_where_the_job_is(submit: Submit, client: FlaskClient) -> None:
    answer = submit(SPEECH.read_bytes(), "Grüße an alle.wav")
    assert answer.status_code == 202
    assert answer.json["status"] == "queued"
    assert answer.json["filename"] == "Grüße an alle.wav"
    assert client.get(answer.location).json["id"] == answer.json["id"]


def test_it_stores_the_very_bytes(submit: Submit, services: Services) -> None:
    job = services.store.get(submit(SPEECH.read_bytes()).json["id"])
    assert services.blobs.path(job.blob_sha256).read_bytes() == SPEECH.read_bytes()


def test_it_takes_every_option(submit: Submit, services: Services) -> None:
    answer = submit(
        model="demo",
        language="Spanish",
        task="translate",
        priority="high",
        prompt="Ada, Lovelace",
        hotwords="Byron, Babbage",
        word_timestamps="true",
        vad_filter="false",
        **{"from": "1:30", "to": "1:02:03.5"},
        audio_track="1",
    )
    job = services.store.get(answer.json["id"])
    assert job.priority is Priority.HIGH
    assert job.options == TranscribeOptions(
        model="demo",
        language="es",
        task="translate",
        prompt="Ada, Lovelace",
        hotwords="Byron, Babbage",
        word_timestamps=True,
        vad_filter=False,
        from_s=90.0,
        to_s=3723.5,
        audio_track=1,
    )


def test_fields_that_are_left_empty_are_as_good_as_left_out(
    submit: Submit, services: Services
) -> None:
    empty = dict.fromkeys(("prompt", "hotwords", "from", "to", "audio_track"), "")
    job = services.store.get(submit(model="demo", **empty).json["id"])
    assert job.options == TranscribeOptions(model="demo")


def test_several_languages_are_chosen_by_name(submit: Submit) -> None:
    answer = submit(model="demo", language="Multi")
    assert answer.json["language"] == "multi"
    assert answer.json["language_probability"] is None


@pytest.mark.parametrize("language", ["", "auto"])
def test_no_language_means_to_detect_it(submit: Submit, language: str) -> None:
    assert submit(language=language).json["language"] is None


@pytest.mark.parametrize(
    ("fields", "code", "named"),
    [
        ({"colour": "red"}, "invalid_request", "colour"),
        ({"task": "sing"}, "invalid_request", "task"),
        ({"priority": "urgent"}, "invalid_request", "priority"),
        ({"prompt": "x" * 1001}, "invalid_request", "prompt"),
        ({"hotwords": "x" * 1001}, "invalid_request", "hotwords"),
        ({"from": "soon"}, "invalid_request", "from is wrong: 'soon' is no time"),
        ({"from": "2:00", "to": "1:30"}, "invalid_request", "ends before it begins"),
        ({"from": "5", "to": "5"}, "invalid_request", "ends before it begins"),
        ({"audio_track": "-1"}, "invalid_request", "audio_track"),
        ({"audio_track": "9" * 30}, "invalid_request", "audio_track"),
        ({"from": "9" * 400 + ":00"}, "invalid_request", "from"),
        ({"model": "tiny.en", "task": "translate"}, "invalid_request", "English only"),
        ({"model": "tiny.en", "language": "multi"}, "invalid_request", "English only"),
        ({"vad_filter": "perhaps"}, "invalid_request", "vad_filter"),
        ({"model": "enormous"}, "unknown_model", "enormous"),
        ({"language": "klingon"}, "unknown_language", "klingon"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_kept(
    submit: Submit, services: Services, fields: dict[str, str], code: str, named: str
) -> None:
    answer = submit(**fields)
    assert answer.status_code == 400
    assert answer.json["code"] == code
    assert named in answer.json["detail"]
    assert answer.json["remedy"]
    assert stored_files(services) == []


def test_an_empty_file_is_refused_and_not_kept(submit: Submit, services: Services) -> None:
    answer = submit(b"")
    assert (answer.status_code, answer.json["code"]) == (400, "empty_file")
    assert stored_files(services) == []


@pytest.mark.parametrize("excess", [1, FORM_OVERHEAD_BYTES])
def test_a_file_over_the_limit_is_refused_and_not_kept(
    submit: Submit, services: Services, excess: int
) -> None:
    answer = submit(b"x" * (services.settings.max_file_size_bytes + excess))
    assert (answer.status_code, answer.json["code"]) == (413, "file_too_large")
    assert stored_files(services) == []


def test_a_file_of_just_the_limit_is_accepted(submit: Submit, services: Services) -> None:
    assert submit(b"x" * services.settings.max_file_size_bytes).status_code == 202


def test_a_full_queue_says_no_and_when_to_come_back(submit: Submit, services: Services) -> None:
    submit(), submit()
    answer = submit(b"another")
    assert (answer.status_code, answer.json["code"]) == (429, "queue_full")
    assert int(answer.headers["Retry-After"]) > 0
    assert services.store.counts()[JobStatus.QUEUED] == 2
    assert len(stored_files(services)) == 1


def test_a_server_that_drains_says_no(submit: Submit, services: Services) -> None:
    services.drain()
    answer = submit()
    assert (answer.status_code, answer.json["code"]) == (503, "shutting_down")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"file": "not a file"},
        {"audio": (io.BytesIO(b"x"), "a.wav")},
    ],
)
def test_a_form_without_the_file_is_refused(client: FlaskClient, data: dict[str, object]) -> None:
    answer = client.post("/api/v1/jobs", data=data, content_type="multipart/form-data")
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    assert "file" in answer.json["detail"]


def test_two_files_are_refused_and_none_is_kept(client: FlaskClient, services: Services) -> None:
    files = [(io.BytesIO(b"one"), "1.wav"), (io.BytesIO(b"two"), "2.wav")]
    answer = client.post("/api/v1/jobs", data={"file": files})
    assert answer.json["code"] == "invalid_request"
    assert stored_files(services) == []


def test_a_broken_form_is_refused_and_nothing_is_kept(
    client: FlaskClient, services: Services
) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\ncut off'
    answer = client.post("/api/v1/jobs", data=body, content_type="multipart/form-data; boundary=b")
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    assert stored_files(services) == []


def test_another_body_than_a_form_is_refused(client: FlaskClient) -> None:
    answer = client.post("/api/v1/jobs", json={"file": "x"})
    assert answer.json["code"] == "invalid_request"
    assert "multipart/form-data" in answer.json["remedy"]


def test_endless_fields_are_refused(submit: Submit, services: Services) -> None:
    answer = submit(prompt="x" * 70_000)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    assert stored_files(services) == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("talk.wav", "talk.wav"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\talk.wav", "talk.wav"),
        ("a\x00b\r\nc.wav", "abc.wav"),
        ("\u202egnp.wav", "gnp.wav"),
        ("Зустріч 会議.mp3", "Зустріч 会議.mp3"),
        ("<b>&.wav", "<b>&.wav"),
        ("..", "recording"),
        ("", "recording"),
        ("lone \ud800.wav", "lone ?.wav"),
    ],
)
def test_a_file_name_is_data_without_path_and_controls(sent: str, kept: str) -> None:
    assert clean_filename(sent) == kept


def test_a_long_file_name_keeps_its_extension() -> None:
    name = clean_filename("x" * 4000 + ".flac")
    assert len(name) == 255
    assert name.endswith(".flac")


def test_jobs_may_share_one_file(submit: Submit, services: Services, jobs: Jobs) -> None:
    submit(b"the same"), submit(b"the same")
    assert len(stored_files(services)) == 1
