"""Uploads that can be resumed: /files speaks tus 1.0.0, to its own pages alone."""

from __future__ import annotations

import base64
import hashlib
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.http import parse_date

from tests.api.conftest import stored_files
from tests.api.tus_requests import SOUND, VERSION, Send, metadata, offset_of, submit
from voice_transcriber.services import Services
from voice_transcriber.web.tus import CHUNK_TYPE, MAX_CHUNK_BYTES


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


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_another_site_cannot_touch_an_upload(
    announce: Send, client: FlaskClient, method: str
) -> None:
    address = announce().location
    headers = VERSION | {"Origin": "http://evil.example", "Upload-Offset": "0"}
    answer = getattr(client, method)(address, headers=headers)
    assert answer.status_code == 403
    assert offset_of(client, address) == 0
