"""Clients that send or read too slowly are given up; nobody else waits for them."""

from __future__ import annotations

import io
import random
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from flask import Flask

from tests.contract.makers import Jobs, transcript_of
from voice_transcriber.services import Services
from voice_transcriber.web.connection import Patience
from voice_transcriber.web.server import THREADS, Server, serve

MEDIA_BYTES = 12_000_000  # more than the server and the sockets keep for a reader
UPLOAD = b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n"
SHORT = Patience(headers_s=1.0, body_grace_s=1.0, body_bytes_per_s=1_000.0, reader_s=1.0)

Start = Callable[..., Server]


@pytest.fixture
def start(app: Flask, services: Services, tmp_path: Path) -> Iterator[Start]:
    """The real server, with as much patience as a test gives it."""
    threads = []
    servers = []

    def one(patience: Patience) -> Server:
        server = serve(app, services, spool_dir=tmp_path / "spool", patience=patience)
        threads.append(threading.Thread(target=server.run))
        threads[-1].start()
        servers.append(server)
        return server

    yield one
    for server, thread in zip(servers, threads, strict=True):
        server.close()
        thread.join()


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def trickle(connection: socket.socket, piece: bytes) -> bytes:
    """Send a piece every tenth of a second until the server says something or leaves; what it
    said, to the end.
    """
    said = b""
    connection.settimeout(0.1)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if not said:
                connection.sendall(piece)
            received = connection.recv(65536)
        except TimeoutError:
            continue
        except ConnectionError:
            return said
        if not received:
            return said
        said += received
    raise AssertionError("the server was as patient as ever")


def health(server: Server) -> int:
    url = f"http://127.0.0.1:{server.port}/health"
    return httpx.get(url, trust_env=False, timeout=20).status_code


@pytest.mark.parametrize("piece", [b"X", b"\r\n", b"X-Some: thing\r\n"])
def test_headers_that_never_end_are_given_up(start: Start, piece: bytes) -> None:
    with connected(start(SHORT)) as connection:
        if piece != b"\r\n":
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
        assert trickle(connection, piece) == b""


def test_a_connection_that_says_nothing_is_given_up(start: Start) -> None:
    with connected(start(SHORT)) as connection:
        assert connection.recv(1) == b""


@pytest.mark.parametrize("head", [b"Content-Length: 5000000", b"Transfer-Encoding: chunked"])
def test_a_body_below_the_least_rate_is_told_so(start: Start, head: bytes) -> None:
    with connected(start(SHORT)) as connection:
        connection.sendall(UPLOAD + head + b"\r\n\r\n")
        chunk = b"1\r\nx\r\n" if b"chunked" in head else b"x"
        status_line, _, rest = trickle(connection, chunk).partition(b"\r\n")
    assert status_line == b"HTTP/1.1 408 Request Timeout"
    assert b'"code":"too_slow"' in rest


def test_a_body_above_it_is_taken_however_long_it_lasts(start: Start) -> None:
    body = b"ids=" + b"x" * 7_000
    with connected(start(SHORT)) as connection:
        connection.sendall(
            b"POST /api/v1/jobs/export HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
            % len(body)
        )
        for at in range(0, len(body), 350):
            connection.sendall(body[at : at + 350])
            time.sleep(0.12)
        assert connection.recv(65536).startswith(b"HTTP/1.1 400")


def test_a_quiet_connection_is_kept_between_two_requests(start: Start) -> None:
    server = start(SHORT)
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as web:
        with connected(server) as connection:
            for _ in range(2):
                connection.sendall(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = b""
                while not answer.endswith(b"}\n"):
                    answer += connection.recv(65536)
                assert answer.startswith(b"HTTP/1.1 200 OK")
                time.sleep(2.5)  # longer than headers may take
        assert web.get("/health").status_code == 200


@pytest.fixture
def recording(services: Services, jobs: Jobs) -> str:
    """The address of a large recording."""
    upload = services.blobs.writer()
    upload.write(bytes(MEDIA_BYTES))
    return f"/api/v1/jobs/{jobs.completed(blob_sha256=upload.commit().sha256).id}/audio"


def slow_reader(server: Server, request: bytes) -> socket.socket:
    """It asks, and reads nothing."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(request)
    return connection


def test_readers_of_archives_hold_no_thread(start: Start, services: Services, jobs: Jobs) -> None:
    server = start(Patience())
    claim = jobs.running()
    services.store.complete(claim, transcript_of(random.Random(1).randbytes(9_000_000).hex()), {})
    path = f"/api/v1/jobs/export?ids={claim.job_id}&formats=json"
    ask = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    readers = []
    try:
        for _ in range(THREADS + 4):
            readers.append(slow_reader(server, ask))
            assert readers[-1].recv(15) == b"HTTP/1.1 200 OK"
            assert health(server) == 200
    finally:
        for reader in readers:
            reader.close()
    answer = httpx.get(f"http://127.0.0.1:{server.port}{path}", trust_env=False, timeout=30)
    assert len(answer.content) > 8_000_000
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


def test_readers_that_ask_on_hold_no_thread(start: Start, recording: str) -> None:
    """The second request waits in the connection while nobody reads the first one's answer."""
    server = start(Patience())
    ask = f"GET {recording} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    readers = [slow_reader(server, ask * 3) for _ in range(THREADS + 4)]
    try:
        assert [health(server) for _ in range(3)] == [200, 200, 200]
    finally:
        for reader in readers:
            reader.close()


def test_a_whole_answer_comes_before_the_end_of_a_connection_that_asked_on(
    start: Start, recording: str
) -> None:
    server = start(Patience())
    with connected(server) as connection:
        connection.sendall(f"GET {recording} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 2)
        received = b""
        while piece := connection.recv(1_000_000):
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"Connection: close" in head
    assert len(body) == MEDIA_BYTES
