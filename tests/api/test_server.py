"""The server itself: what it refuses before it reads a body, and how it ends."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask

from tests.api.conftest import SPEECH, stored_files
from voice_transcriber.services import Services
from voice_transcriber.web.server import Server, serve

LARGE = 5_000_000


@pytest.fixture
def environment() -> dict[str, str]:
    return {"MAX_FILE_SIZE": "10MB", "API_KEY": "a-long-enough-key-for-tests"}


KEY = b"X-API-Key: a-long-enough-key-for-tests\r\n"


def ask(server: Server, head: bytes, body: bytes = b"") -> tuple[int, Any]:
    """Send a request as it is; the status and the JSON of the answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head + b"\r\n" + body)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
            headers, _, rest = answer.partition(b"\r\n\r\n")
            if rest.endswith(b"}"):
                break
    return int(headers.split()[1]), json.loads(rest)


def upload_head(length: int, extra: bytes = KEY, path: bytes = b"/api/v1/jobs") -> bytes:
    return (
        b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + extra
        + b"Content-Type: multipart/form-data; boundary=b\r\n"
        + b"Content-Length: %d\r\n" % length
    )  # fmt: skip


def test_a_body_over_the_limit_is_refused_before_it_is_sent(server: Server) -> None:
    status, problem = ask(server, upload_head(50_000_000))
    assert (status, problem["code"]) == (413, "file_too_large")


def test_curl_is_not_invited_to_send_what_is_refused(server: Server) -> None:
    status, _ = ask(server, upload_head(50_000_000, KEY + b"Expect: 100-continue\r\n"))
    assert status == 413


def test_a_stranger_is_refused_before_the_body_is_sent(server: Server) -> None:
    status, problem = ask(server, upload_head(LARGE, b""))
    assert (status, problem["code"]) == (401, "key_required")


@pytest.mark.parametrize("origin", [b"http://evil.example", b"http://[", b"http://[::1"])
def test_another_site_is_refused_before_the_body_is_sent(server: Server, origin: bytes) -> None:
    status, problem = ask(server, upload_head(LARGE, b"Origin: " + origin + b"\r\n"))
    assert (status, problem["code"]) == (403, "cross_site_request")


def test_a_draining_server_refuses_before_the_body_is_sent(
    server: Server, services: Services
) -> None:
    services.drain()
    status, problem = ask(server, upload_head(LARGE))
    assert (status, problem["code"]) == (503, "shutting_down")


def test_a_large_body_elsewhere_is_refused(server: Server) -> None:
    status, problem = ask(server, upload_head(LARGE, path=b"/api/v1/jobs/sample"))
    assert (status, problem["code"]) == (400, "invalid_request")


def test_an_endless_body_elsewhere_is_refused(server: Server) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\n" + KEY + b"Transfer-Encoding: chunked\r\n"
    assert ask(server, head)[0] == 400


def test_a_target_that_is_no_address_is_a_bad_request(server: Server) -> None:
    assert ask(server, b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n")[0] == 400


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: evil.example\r\n",
        b"GET / HTTP/1.1\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n",
    ],
)
def test_a_foreign_host_is_refused(server: Server, head: bytes) -> None:
    status, problem = ask(server, head)
    assert (status, problem["code"]) == (421, "host_not_allowed")


def test_a_client_that_sends_on_still_reads_why_it_was_refused(server: Server) -> None:
    status, problem = ask(server, upload_head(50_000_000), bytes(50_000_000))
    assert (status, problem["code"]) == (413, "file_too_large")


def test_a_session_is_enough_for_a_large_upload(web: httpx.Client) -> None:
    web.post("/login", data={"key": "a-long-enough-key-for-tests"})
    answer = web.post("/api/v1/jobs", files={"file": ("a.wav", bytes(LARGE))})
    assert answer.status_code == 202


def test_what_is_no_http_is_a_problem_too(server: Server) -> None:
    status, problem = ask(server, b"nonsense\r\n")
    assert (status, problem["code"]) == (400, "invalid_request")


def test_a_closed_server_ends_and_its_port_is_free(
    app: Flask, services: Services, tmp_path: Path
) -> None:
    for _ in range(2):
        server = serve(app, services, spool_dir=tmp_path / "spool")
        thread = threading.Thread(target=server.run)
        thread.start()
        url = f"http://127.0.0.1:{server.port}/health"
        assert httpx.get(url, trust_env=False).json()["status"]
        server.close()
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_a_full_disk_while_receiving_is_an_answer_and_the_server_goes_on(
    app: Flask, services: Services, small_disk: Path
) -> None:
    server = serve(app, services, spool_dir=small_disk / "spool")
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{server.port}",
            headers={"X-API-Key": "a-long-enough-key-for-tests"},
            trust_env=False,
        ) as web:
            answer = web.post("/api/v1/jobs", files={"file": ("a.wav", bytes(LARGE))})
            assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
            assert answer.headers["Retry-After"]
            assert stored_files(services) == []
            small = web.post("/api/v1/jobs", files={"file": ("a.wav", SPEECH.read_bytes())})
            assert small.status_code == 202
    finally:
        server.close()
        thread.join()
