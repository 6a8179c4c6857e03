"""Uploads that can be resumed: /files speaks tus 1.0.0, and a finished one becomes one job."""

from __future__ import annotations

import base64
import hashlib
import os
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.http import parse_date
from werkzeug.test import TestResponse

from tests.api.conftest import SPEECH, stored_files
from tests.contract.makers import Jobs
from voice_transcriber.app import create_app
from voice_transcriber.errors import DiskFull, StorageRefuses
from voice_transcriber.services import Services
from voice_transcriber.web.tus import CHUNK_TYPE, MAX_CHUNK_BYTES

VERSION = {"Tus-Resumable": "1.0.0"}
SOUND = SPEECH.read_bytes()

Send = Callable[..., TestResponse]


@pytest.fixture
def environment() -> dict[str, str]:
    return {"MAX_FILE_SIZE": "20MB", "MAX_QUEUE_SIZE": "3"}


def metadata(**values: str) -> str:
    pairs = {"filename": "Grüße an alle.wav", **values}
    return ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in pairs.items())


@pytest.fixture
def announce(client: FlaskClient) -> Send:
    def send(size_bytes: int = len(SOUND), **changes: str) -> TestResponse:
        headers = {"Upload-Length": str(size_bytes), "Upload-Metadata": metadata()}
        return client.post("/files", headers=VERSION | headers | changes)

    return send


@pytest.fixture
def patch(client: FlaskClient) -> Send:
    def send(address: str, offset: int, data: bytes, **headers: str) -> TestResponse:
        told = {"Upload-Offset": str(offset), "Content-Type": CHUNK_TYPE}
        return client.patch(address, data=data, headers=VERSION | told | headers)

    return send


@pytest.fixture
def whole(announce: Send, patch: Send) -> Callable[..., str]:
    """The id of an upload whose bytes are all there."""

    def make(data: bytes = SOUND, **values: str) -> str:
        address = announce(len(data), **{"Upload-Metadata": metadata(**values)}).location
        assert patch(address, 0, data).status_code == 204
        return address.rsplit("/", 1)[1]

    return make


def offset_of(client: FlaskClient, address: str) -> int:
    return int(client.head(address, headers=VERSION).headers["Upload-Offset"])


def submit(client: FlaskClient, upload_id: str, **fields: Any) -> TestResponse:
    return client.post("/api/v1/jobs", data={"upload": upload_id, **fields})


# The protocol


def test_options_tell_what_the_server_can_do(client: FlaskClient) -> None:
    answer = client.options("/files")
    assert answer.status_code == 204
    assert answer.headers["Tus-Resumable"] == answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Max-Size"] == "20000000"
    assert set(answer.headers["Tus-Extension"].split(",")) == {
        *("creation", "creation-with-upload", "termination", "checksum", "expiration")
    }
    assert set(answer.headers["Tus-Checksum-Algorithm"].split(",")) == {"sha1", "sha256", "crc32"}


def test_an_upload_goes_on_where_it_stands(
    announce: Send, patch: Send, client: FlaskClient, services: Services
) -> None:
    announced = announce()
    assert announced.status_code == 201
    address = announced.location
    assert offset_of(client, address) == 0
    first = patch(address, 0, SOUND[:1000])
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "1000")
    assert offset_of(client, address) == 1000
    assert patch(address, 1000, SOUND[1000:]).headers["Upload-Offset"] == str(len(SOUND))
    job = services.store.get(submit(client, address.rsplit("/", 1)[1]).json["id"])
    assert services.blobs.path(job.blob_sha256).read_bytes() == SOUND


def test_head_tells_all_and_is_not_to_be_kept(announce: Send, client: FlaskClient) -> None:
    told = client.head(announce().location, headers=VERSION)
    assert told.status_code == 200
    assert told.headers["Upload-Length"] == str(len(SOUND))
    assert told.headers["Upload-Metadata"] == metadata()
    assert told.headers["Cache-Control"] == "no-store"
    expires = parse_date(told.headers["Upload-Expires"])
    assert expires is not None
    assert 86_000 < expires.timestamp() - time.time() < 86_500


def test_the_first_bytes_may_come_with_the_announcement(client: FlaskClient) -> None:
    headers = {"Upload-Length": str(len(SOUND)), "Upload-Metadata": metadata()}
    kind = {"Content-Type": CHUNK_TYPE}
    answer = client.post("/files", data=SOUND[:500], headers=VERSION | headers | kind)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "500")


def test_first_bytes_that_are_refused_leave_no_upload(
    client: FlaskClient, services: Services
) -> None:
    headers = {"Upload-Length": "10", "Upload-Metadata": metadata()}
    kind = {"Content-Type": CHUNK_TYPE, "Upload-Checksum": "sha1 AAAA"}
    answer = client.post("/files", data=b"x" * 10, headers=VERSION | headers | kind)
    assert answer.status_code == 460
    assert stored_files(services) == []
    assert not services.store.upload_ids()


def test_first_bytes_that_are_refused_can_be_sent_again(client: FlaskClient) -> None:
    headers = {"Upload-Length": "10", "Upload-Metadata": metadata(), "Idempotency-Key": "one"}
    kind = {"Content-Type": CHUNK_TYPE}
    wrong = {"Upload-Checksum": "sha1 AAAA"}
    data = b"x" * 10
    first = client.post("/files", data=data, headers=VERSION | headers | kind | wrong)
    assert first.status_code == 460
    assert client.post("/files", data=data, headers=VERSION | headers | kind).status_code == 201


@pytest.mark.parametrize("version", [None, "0.2.2", "2.0.0"])
def test_another_version_is_refused_and_ours_told(client: FlaskClient, version: str | None) -> None:
    headers = {"Tus-Resumable": version} if version else {}
    answer = client.post("/files", headers={"Upload-Length": "5", **headers})
    assert (answer.status_code, answer.json["code"]) == (412, "unsupported_protocol")
    assert answer.headers["Tus-Version"] == "1.0.0"


@pytest.mark.parametrize("offset", ["1", "999", str(len(SOUND) + 1)])
def test_a_wrong_offset_changes_nothing(
    announce: Send, patch: Send, client: FlaskClient, offset: str
) -> None:
    address = announce().location
    patch(address, 0, b"RIFF")
    answer = patch(address, int(offset), b"more")
    assert (answer.status_code, answer.json["code"]) == (409, "wrong_offset")
    assert offset_of(client, address) == 4


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Upload-Length": "-1"}, 400, "invalid_request"),
        ({"Upload-Length": "many"}, 400, "invalid_request"),
        ({"Upload-Length": "9" * 400}, 400, "invalid_request"),
        ({"Upload-Length": "0"}, 400, "empty_file"),
        ({"Upload-Length": "20000001"}, 413, "file_too_large"),
        ({"Upload-Defer-Length": "1"}, 400, "invalid_request"),
        ({"Upload-Concat": "partial"}, 400, "invalid_request"),
        ({"Upload-Metadata": ""}, 400, "invalid_request"),
        ({"Upload-Metadata": "filename !!!"}, 400, "invalid_request"),
        ({"Upload-Metadata": "filename /w=="}, 400, "invalid_request"),
        ({"Upload-Metadata": "filename QQ==,filename QQ=="}, 400, "invalid_request"),
        ({"Upload-Metadata": metadata(colour="red")}, 400, "invalid_request"),
        ({"Upload-Metadata": metadata(upload="x")}, 400, "invalid_request"),
        ({"Upload-Metadata": metadata(language="klingon")}, 400, "unknown_language"),
        ({"Upload-Metadata": metadata(model="enormous")}, 400, "unknown_model"),
    ],
)
def test_an_announcement_that_cannot_become_a_job_is_refused_at_once(
    announce: Send, services: Services, headers: dict[str, str], status: int, code: str
) -> None:
    answer = announce(**headers)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.json["remedy"]
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert stored_files(services) == []


@pytest.mark.parametrize("offset", ["", "-1", "one", "9" * 30])
def test_an_offset_that_is_no_number_is_refused(
    announce: Send, client: FlaskClient, offset: str
) -> None:
    headers = VERSION | {"Upload-Offset": offset, "Content-Type": CHUNK_TYPE}
    answer = client.patch(announce().location, data=b"x", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")


def test_bytes_of_another_type_are_refused(announce: Send, patch: Send) -> None:
    answer = patch(announce().location, 0, b"x", **{"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json["code"]) == (415, "wrong_content_type")


def test_more_than_was_announced_is_refused(
    announce: Send, patch: Send, client: FlaskClient
) -> None:
    address = announce(10).location
    answer = patch(address, 0, b"x" * 11)
    assert (answer.status_code, answer.json["code"]) == (413, "file_too_large")
    assert offset_of(client, address) == 0


def test_a_request_takes_only_so_much(announce: Send, patch: Send) -> None:
    answer = patch(announce(20_000_000).location, 0, bytes(MAX_CHUNK_BYTES + 1))
    assert (answer.status_code, answer.json["code"]) == (413, "file_too_large")
    assert "8 MiB" in answer.json["remedy"]


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [
        ("sha1", hashlib.sha1(b"some bytes").digest()),
        ("sha256", hashlib.sha256(b"some bytes").digest()),
        ("crc32", zlib.crc32(b"some bytes").to_bytes(4, "big")),
    ],
)
def test_a_checksum_is_checked(
    announce: Send, patch: Send, client: FlaskClient, algorithm: str, value: bytes
) -> None:
    address = announce(20).location
    checksum = {"Upload-Checksum": f"{algorithm} {base64.b64encode(value).decode()}"}
    wrong = patch(address, 0, b"SOME bytes", **checksum)
    assert (wrong.status_code, wrong.json["code"]) == (460, "checksum_mismatch")
    assert offset_of(client, address) == 0
    assert patch(address, 0, b"some bytes", **checksum).status_code == 204
    assert offset_of(client, address) == 10


@pytest.mark.parametrize("checksum", ["md5 AAAA", "sha1", "sha1 !", ""])
def test_a_checksum_that_cannot_be_checked_is_refused(
    announce: Send, patch: Send, checksum: str
) -> None:
    answer = patch(announce().location, 0, b"x", **{"Upload-Checksum": checksum})
    assert answer.status_code in {400, 460}


def test_a_terminated_upload_is_gone(
    announce: Send, patch: Send, client: FlaskClient, services: Services
) -> None:
    address = announce().location
    patch(address, 0, SOUND[:10])
    assert client.delete(address, headers=VERSION).status_code == 204
    assert stored_files(services) == []
    assert client.head(address, headers=VERSION).status_code == 404
    assert patch(address, 10, b"x").status_code == 404
    assert client.delete(address, headers=VERSION).status_code == 404


@pytest.mark.parametrize("address", ["/files/nobody", "/files/" + "0" * 32, "/files/..%2f..%2fx"])
def test_an_unknown_upload_is_not_found(client: FlaskClient, address: str) -> None:
    assert client.head(address, headers=VERSION).status_code == 404


def test_a_method_may_be_told_by_a_header(
    announce: Send, client: FlaskClient, services: Services
) -> None:
    address = announce().location
    told = {"Upload-Offset": "0", "Content-Type": CHUNK_TYPE, "X-HTTP-Method-Override": "PATCH"}
    assert client.post(address, data=b"RIFF", headers=VERSION | told).status_code == 204
    assert offset_of(client, address) == 4
    meant = {"X-HTTP-Method-Override": "GET"}
    assert client.post(address, headers=VERSION | meant).status_code == 400


def test_two_requests_for_the_same_bytes_store_them_once(
    announce: Send, app: Any, services: Services
) -> None:
    address = announce(2000).location

    def send(number: int) -> int:
        told = {"Upload-Offset": "0", "Content-Type": CHUNK_TYPE}
        data = bytes([number]) * 1000
        return app.test_client().patch(address, data=data, headers=VERSION | told).status_code

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(send, range(8))) == [204, *[409] * 7]
    (part,) = stored_files(services)
    assert len(set(part.read_bytes())) == 1


# What is kept


def test_an_expired_upload_is_deleted(announce: Send, client: FlaskClient, settings: Any) -> None:
    address = announce().location
    services = client.application.extensions["voice_transcriber.services"]
    services.uploads.tidy()
    assert len(stored_files(services)) == 1
    services.store._clock = lambda: time.time() + 90_000
    assert client.head(address, headers=VERSION).status_code == 404
    services.uploads.tidy()
    assert stored_files(services) == []
    assert not services.store.upload_ids()


def test_an_expired_upload_with_a_job_leaves_the_job(
    whole: Callable[..., str], client: FlaskClient, services: Services
) -> None:
    upload_id = whole()
    job_id = submit(client, upload_id).json["id"]
    services.store._clock = lambda: time.time() + 90_000  # type: ignore[attr-defined]
    services.uploads.tidy()
    assert not services.store.upload_ids()
    assert client.get(f"/api/v1/jobs/{job_id}/audio").data == SOUND


def test_a_file_that_no_upload_names_is_deleted_when_it_is_old(
    announce: Send, services: Services
) -> None:
    announce()
    (part,) = stored_files(services)
    stray = part.with_name("f" * 32)
    stray.write_bytes(b"left by a database that was lost")
    services.uploads.tidy()
    assert stray.exists()
    old = time.time() - 90_000
    os.utime(stray, (old, old))
    services.uploads.tidy()
    assert stored_files(services) == [part]


def test_an_upload_that_is_worked_on_is_not_waited_for(
    whole: Callable[..., str],
    client: FlaskClient,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload_id = whole()
    address = f"/files/{upload_id}"
    monkeypatch.setattr("voice_transcriber.jobs.uploads.LOCK_WAIT_S", 0.05)
    with services.uploads._locked(upload_id):
        answers = [submit(client, upload_id), client.delete(address, headers=VERSION)]
        services.uploads.tidy()
    assert [(one.status_code, one.json["code"]) for one in answers] == [(503, "busy")] * 2
    assert all(one.headers["Retry-After"] for one in answers)
    assert submit(client, upload_id).status_code == 202


def test_a_job_is_told_though_a_clean_up_failed(
    whole: Callable[..., str],
    client: FlaskClient,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    upload_id = whole()

    def refuse() -> None:
        raise StorageRefuses

    with monkeypatch.context() as failing:
        failing.setattr(services.store, "blobs_in_use", refuse)
        services.manager.delete_unneeded_blob("a" * 64)
        assert submit(client, upload_id).status_code == 202
    assert "could not be deleted" in caplog.text


def test_what_cannot_be_tidied_stops_nobody(
    services: Services, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full() -> None:
        raise DiskFull

    monkeypatch.setattr(services.store, "forget_requests", full)
    services.uploads.tidy()
    assert "could not be tidied" in caplog.text


def test_a_restart_changes_nothing(
    announce: Send, patch: Send, client: FlaskClient, services: Services, settings: Any
) -> None:
    address = announce().location
    patch(address, 0, SOUND[:1000])
    services.stop()
    again = Services(settings)
    try:
        again.start()
        web = create_app(settings, again).test_client()
        assert offset_of(web, address) == 1000
        told = VERSION | {"Upload-Offset": "1000", "Content-Type": CHUNK_TYPE}
        assert web.patch(address, data=SOUND[1000:], headers=told).status_code == 204
        job = submit(web, address.rsplit("/", 1)[1]).json
        sha256 = again.store.get(job["id"]).blob_sha256
        assert sha256 == hashlib.sha256(SOUND).hexdigest()
    finally:
        again.stop()


# The job


def test_the_metadata_says_what_is_wanted_and_a_field_given_wins(
    whole: Callable[..., str], client: FlaskClient
) -> None:
    upload_id = whole(
        model="demo", language="German", priority="high", prompt="Ada", filetype="audio/wav"
    )
    answer = submit(client, upload_id, priority="low")
    assert answer.status_code == 202
    job = answer.json
    assert job["filename"] == "Grüße an alle.wav"
    assert (job["model"], job["language"], job["priority"]) == ("demo", "de", "low")
    assert client.get(answer.location).json["id"] == job["id"]


def test_there_is_one_job_for_an_upload_however_often_it_is_asked_for(
    whole: Callable[..., str], app: Any, services: Services
) -> None:
    upload_id = whole()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: submit(app.test_client(), upload_id), range(16)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert services.store.page(limit=9).total == 1
    assert len([path for path in stored_files(services) if path.parent.name != "uploads"]) == 1


def test_the_file_is_in_the_store_once(
    whole: Callable[..., str], client: FlaskClient, services: Services
) -> None:
    submit(client, whole())
    (stored,) = stored_files(services)
    assert stored.name == hashlib.sha256(SOUND).hexdigest()


def test_the_form_may_be_multipart_too(whole: Callable[..., str], client: FlaskClient) -> None:
    answer = client.post(
        "/api/v1/jobs", data={"upload": whole()}, content_type="multipart/form-data"
    )
    assert answer.status_code == 202


def test_a_file_and_an_upload_are_one_too_many(
    whole: Callable[..., str], client: FlaskClient
) -> None:
    answer = client.post("/api/v1/jobs", data={"upload": whole(), "file": (SPEECH.open("rb"), "x")})
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")


def test_an_upload_that_is_not_whole_has_no_job(
    announce: Send, patch: Send, client: FlaskClient
) -> None:
    address = announce().location
    patch(address, 0, SOUND[:5])
    answer = submit(client, address.rsplit("/", 1)[1])
    assert (answer.status_code, answer.json["code"]) == (409, "wrong_state")
    assert f"5 of {len(SOUND)}" in answer.json["detail"]


def test_a_deleted_job_is_not_made_anew(
    whole: Callable[..., str], client: FlaskClient, services: Services
) -> None:
    upload_id = whole()
    job_id = submit(client, upload_id).json["id"]
    services.manager.cancel(job_id)
    services.manager.delete(job_id)
    assert submit(client, upload_id).status_code == 404
    assert stored_files(services) == []


def test_what_a_crash_left_between_the_name_and_the_job_is_taken_up(
    whole: Callable[..., str], client: FlaskClient, services: Services
) -> None:
    """The file has its name in the store, its job does not exist, and the server starts."""
    upload_id = whole()
    sha256 = hashlib.sha256(SOUND).hexdigest()
    services.store.set_upload_sha256(upload_id, sha256)
    services._partials.adopt(upload_id, sha256)
    services.blobs.delete_unused(services.store.blobs_in_use(), older_than_s=0)
    assert submit(client, upload_id).status_code == 202
    assert services.blobs.path(sha256).read_bytes() == SOUND


# Room


def test_a_full_queue_refuses_before_a_byte_is_sent(announce: Send, jobs: Jobs) -> None:
    for _ in range(3):
        jobs.queued()
    answer = announce()
    assert (answer.status_code, answer.json["code"]) == (429, "queue_full")
    assert answer.headers["Retry-After"]


def test_a_full_queue_loses_no_finished_upload(
    whole: Callable[..., str], jobs: Jobs, client: FlaskClient, services: Services
) -> None:
    upload_id = whole()
    waiting = [jobs.queued() for _ in range(3)]
    assert submit(client, upload_id).status_code == 429
    services.store.cancel(waiting[0].id)
    accepted = submit(client, upload_id)
    assert accepted.status_code == 202
    jobs.queued()
    assert submit(client, upload_id).json["id"] == accepted.json["id"]


def test_only_so_many_uploads_are_under_way(announce: Send) -> None:
    assert [announce().status_code for _ in range(4)] == [201, 201, 201, 429]


def test_what_is_still_to_come_has_its_place_on_the_disk(
    announce: Send, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 200_000_000 + 15_000_000})
    monkeypatch.setattr("voice_transcriber.jobs.manager.shutil.disk_usage", lambda _: usage)
    assert announce(10_000_000).status_code == 201
    answer = announce(10_000_000)
    assert (answer.status_code, answer.json["code"]) == (507, "disk_full")
    assert answer.headers["Retry-After"]


def test_a_disk_that_fills_up_refuses_the_next_bytes_and_goes_on_when_there_is_room(
    announce: Send, patch: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = announce().location
    with monkeypatch.context() as full:
        usage = type("Usage", (), {"free": 200_000_000})
        full.setattr("voice_transcriber.jobs.manager.shutil.disk_usage", lambda _: usage)
        answer = patch(address, 0, SOUND)
        assert (answer.status_code, answer.json["code"]) == (507, "disk_full")
    assert patch(address, 0, SOUND).status_code == 204


def test_a_draining_server_takes_nothing_more(
    announce: Send, patch: Send, client: FlaskClient, services: Services
) -> None:
    address = announce().location
    services.drain()
    for answer in (announce(), patch(address, 0, b"x")):
        assert (answer.status_code, answer.json["code"]) == (503, "shutting_down")
        assert answer.headers["Retry-After"]
    assert offset_of(client, address) == 0


# Access


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_another_site_cannot_touch_an_upload(
    announce: Send, client: FlaskClient, method: str
) -> None:
    address = announce().location
    headers = VERSION | {"Origin": "http://evil.example", "Upload-Offset": "0"}
    answer = getattr(client, method)(address, headers=headers)
    assert answer.status_code == 403
    assert offset_of(client, address) == 0


# Duplicates


def test_a_recording_is_found_by_its_hash(
    whole: Callable[..., str], client: FlaskClient, jobs: Jobs
) -> None:
    job_id = submit(client, whole()).json["id"]
    jobs.queued()
    sha256 = hashlib.sha256(SOUND).hexdigest()
    found = client.get("/api/v1/jobs", query_string={"sha256": sha256}).json
    assert [job["id"] for job in found["jobs"]] == [job_id]
    assert found["total"] == 1
    other = client.get("/api/v1/jobs", query_string={"sha256": "0" * 64}).json
    assert other["jobs"] == []


@pytest.mark.parametrize("sha256", ["xyz", "A" * 64, "0" * 65])
def test_what_is_no_hash_is_refused(client: FlaskClient, sha256: str) -> None:
    assert client.get("/api/v1/jobs", query_string={"sha256": sha256}).status_code == 400


def test_the_part_of_the_disk_is_never_more_than_the_file(
    announce: Send, patch: Send, client: FlaskClient, services: Services
) -> None:
    size = 10_000_000
    address = announce(size).location
    for offset in range(0, size, 2_500_000):
        patch(address, offset, bytes([offset % 251]) * 2_500_000)
        assert sum(path.stat().st_size for path in files(services)) <= size
    submit(client, address.rsplit("/", 1)[1])
    assert sum(path.stat().st_size for path in files(services)) == size


def files(services: Services) -> list[Path]:
    return stored_files(services)
