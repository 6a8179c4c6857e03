"""/files on the real server: what its headers refuse, and what is kept of a torn request."""

from __future__ import annotations

import base64
import hashlib
import logging
import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.api.conftest import stored_files
from tests.running import until
from voice_transcriber.services import Services
from voice_transcriber.web.server import Server
from voice_transcriber.web.tus import CHUNK_TYPE, MAX_CHUNK_BYTES

KEY = "a-long-enough-key-for-tests"
VERSION = {"Tus-Resumable": "1.0.0"}
CHUNK_BYTES = 8 * 1024 * 1024


@pytest.fixture
def environment() -> dict[str, str]:
    return {"MAX_FILE_SIZE": "50MB", "API_KEY": KEY}


@pytest.fixture
def tus(server: Server) -> Iterator[httpx.Client]:
    address = f"http://127.0.0.1:{server.port}"
    headers = VERSION | {"X-API-Key": KEY}
    with httpx.Client(base_url=address, headers=headers, trust_env=False) as client:
        yield client


def announce(tus: httpx.Client, size_bytes: int) -> str:
    headers = {"Upload-Length": str(size_bytes), "Upload-Metadata": "filename QQ=="}
    return tus.post("/files", headers=headers).headers["Location"]


def offset_of(tus: httpx.Client, address: str) -> int:
    return int(tus.head(address).headers["Upload-Offset"])


def told_offset(services: Services, address: str) -> int:
    """Without a request, which would tell the server that the client goes on."""
    return services.uploads.find(address.rsplit("/", 1)[1]).offset_bytes


def patch(tus: httpx.Client, address: str, offset: int, data: bytes) -> httpx.Response:
    headers = {"Upload-Offset": str(offset), "Content-Type": CHUNK_TYPE}
    return tus.patch(address, content=data, headers=headers)


def received_bytes(server: Server) -> int:
    """Of the bodies that are on their way, not yet at their end."""
    channels = [one for each in server._listeners for one in list(each.active_channels.values())]
    requests = [channel.request for channel in channels]
    return sum(one.body_bytes_received for one in requests if one is not None)


def begun(
    server: Server, address: str, data: bytes, *, length: int, key: str = KEY, **headers: str
) -> socket.socket:
    """A connection on which a PATCH at byte 0 has begun."""
    told = {
        "Host": "localhost",
        "X-API-Key": key,
        **VERSION,
        "Upload-Offset": "0",
        "Content-Type": CHUNK_TYPE,
        "Content-Length": str(length),
        **headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    connection.sendall(f"PATCH {address} HTTP/1.1\r\n{lines}\r\n".encode() + data)
    return connection


def test_a_chunk_of_8_mib_passes(tus: httpx.Client, services: Services) -> None:
    data = bytes(range(256)) * (CHUNK_BYTES // 256) + b"the end"
    address = announce(tus, len(data))
    for offset in (0, CHUNK_BYTES):
        answer = patch(tus, address, offset, data[offset : offset + CHUNK_BYTES])
        assert answer.status_code == 204
    job = tus.post("/api/v1/jobs", data={"upload": address.rsplit("/", 1)[1]}).json()
    assert services.store.get(job["id"]).blob_sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("length", [MAX_CHUNK_BYTES + 1, 40_000_000])
def test_a_chunk_that_is_too_large_is_refused_at_its_headers(
    server: Server, tus: httpx.Client, length: int
) -> None:
    with begun(server, announce(tus, 50_000_000), b"", length=length) as connection:
        answer = b""
        while not answer.endswith(b"}"):
            answer += connection.recv(65536)
    assert b"413" in answer.split(b"\r\n")[0]
    assert b"8 MiB" in answer


def test_a_body_of_unknown_length_is_refused(tus: httpx.Client) -> None:
    headers = {"Upload-Offset": "0", "Content-Type": CHUNK_TYPE}
    address = announce(tus, 1000)
    answer = tus.patch(address, content=iter([b"x" * 10]), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_a_stranger_is_refused_at_the_headers(server: Server, tus: httpx.Client) -> None:
    with begun(server, announce(tus, 50_000_000), b"", length=CHUNK_BYTES, key="no") as connection:
        assert b"401" in connection.recv(65536).split(b"\r\n")[0]


def test_what_came_of_a_torn_request_is_kept(
    server: Server, tus: httpx.Client, services: Services
) -> None:
    data = bytes(range(256)) * 10_000
    address = announce(tus, len(data))
    torn = begun(server, address, data[:1_500_000], length=len(data))
    until(lambda: received_bytes(server) == 1_500_000)
    assert told_offset(services, address) == 0
    torn.close()
    until(lambda: told_offset(services, address) == 1_500_000)
    assert offset_of(tus, address) == 1_500_000
    assert patch(tus, address, 1_500_000, data[1_500_000:]).status_code == 204
    (part,) = stored_files(services)
    assert part.read_bytes() == data


def test_a_torn_request_with_a_checksum_is_not_kept(
    server: Server, tus: httpx.Client, services: Services
) -> None:
    address = announce(tus, 1000)
    value = base64.b64encode(hashlib.sha1(b"x" * 1000).digest()).decode()
    checksum = {"Upload-Checksum": f"sha1 {value}"}
    begun(server, address, b"x" * 500, length=1000, **checksum).close()
    torn = begun(server, address, b"x" * 600, length=1000)
    torn.close()  # the one after it has been dealt with: so has the first
    until(lambda: told_offset(services, address) == 600)


def test_a_strangers_torn_request_is_not_kept(
    server: Server, tus: httpx.Client, services: Services
) -> None:
    """Its body is small, so that its headers did not have to prove anything."""
    address = announce(tus, 1000)
    begun(server, address, b"evil" * 100, length=1000, key="wrong").close()
    begun(server, address, b"good" * 100, length=1000).close()
    until(lambda: told_offset(services, address) == 400)
    (part,) = stored_files(services)
    assert part.read_bytes() == b"good" * 100


def test_a_dead_request_holds_nothing_and_comes_too_late(
    server: Server, tus: httpx.Client, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="voice_transcriber.web.rescue")
    address = announce(tus, 1000)
    dead = begun(server, address, b"dead" * 100, length=1000)
    until(lambda: received_bytes(server) == 400)
    assert offset_of(tus, address) == 0  # the client is back, on another connection
    dead.close()
    until(lambda: "was not kept: The upload goes on at byte 0." in caplog.text)
    assert offset_of(tus, address) == 0
    assert patch(tus, address, 0, b"live" * 250).status_code == 204
    (part,) = stored_files(services)
    assert part.read_bytes() == b"live" * 250
