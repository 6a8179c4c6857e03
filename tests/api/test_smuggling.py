"""Requests that a proxy might read otherwise than this server: each has one meaning, or none.

A connection on which anything was unclear ends, so that what follows is never another's request.
"""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest

from tests.contract.makers import Jobs
from voice_transcriber.services import Services
from voice_transcriber.web.server import Server

QUIET_S = 0.5  # after which a server that kept the connection has said all
HOST = b"Host: localhost\r\n"
INNER = b"DELETE /api/v1/jobs/%b HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n"

REFUSED = {
    "two lengths": b"Content-Length: 4\r\nContent-Length: 0\r\n",
    "a list of lengths": b"Content-Length: 4, 4\r\n",
    "a length with a sign": b"Content-Length: +4\r\n",
    "a length below zero": b"Content-Length: -1\r\n",
    "a length in another base": b"Content-Length: 0x10\r\n",
    "a length with a gap": b"Content-Length: 1 0\r\n",
    "a length in letters of another script": "Content-Length: ٤\r\n".encode(),
    "another coding": b"Transfer-Encoding: gzip, chunked\r\n",
    "a coding twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "a coding in disguise": b"Transfer-Encoding: \x0bchunked\r\n",
    "a coding with a tail": b"Transfer-Encoding: chunkedX\r\n",
    "a space before the colon": b"Transfer-Encoding : chunked\r\n",
    "a bare line feed": b"X-One: 1\nTransfer-Encoding: chunked\r\n",
    "a bare carriage return": b"X-One: 1\rTransfer-Encoding: chunked\r\n",
    "a zero byte": b"X-One: a\x00b\r\n",
    "a line without a colon": b"nonsense\r\n",
    "a name that is none": b"X(One): 1\r\n",
}


def conversation(server: Server, data: bytes) -> list[bytes]:
    """The status lines of all answers, until the server ends the connection or is quiet."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(data)
        answer = b""
        with suppress(TimeoutError):
            while piece := connection.recv(65536):
                answer += piece
                connection.settimeout(QUIET_S)
    return [line for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.")]


@pytest.fixture
def target(jobs: Jobs) -> bytes:
    """The id of a job that a smuggled request would delete."""
    return jobs.completed().id.encode()


def stands(services: Services, target: bytes) -> bool:
    return services.store.get(target.decode()).id == target.decode()


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED)
def test_an_unclear_request_is_refused_and_ends_the_connection(
    server: Server, services: Services, target: bytes, headers: bytes
) -> None:
    request = b"POST /api/v1/jobs/sample HTTP/1.1\r\n" + HOST + headers + b"\r\n"
    (status,) = conversation(server, request + INNER % target)
    assert status.split()[1] in {b"400", b"501"}
    assert services.store.page(limit=9).total == 1
    assert stands(services, target)


def test_a_length_beside_chunks_does_not_count(
    server: Server, services: Services, target: bytes
) -> None:
    """RFC 9112, 6.3: the coding overrules; the inner request is part of the body's chunk."""
    inner = INNER % target
    body = b"%x\r\n" % len(inner) + inner + b"\r\n0\r\n\r\n"
    head = b"GET /health/ready HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n"
    answers = conversation(server, head + b"Transfer-Encoding: chunked\r\n\r\n" + body)
    assert len(answers) == 1
    assert stands(services, target)


def test_a_body_of_a_get_is_no_request(server: Server, services: Services, target: bytes) -> None:
    inner = INNER % target
    head = b"GET /health/ready HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(inner)
    assert len(conversation(server, head + inner)) == 1
    assert stands(services, target)


@pytest.mark.parametrize(
    "chunk",
    [
        b"5;x=\ny\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"5\r\nhelloX0\r\n\r\n",
        b"fffffffffffffffffffff\r\nhello",
        b"-1\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_a_chunk_that_is_none_is_refused(
    server: Server, services: Services, target: bytes, chunk: bytes
) -> None:
    head = b"POST /api/v1/jobs HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    answers = conversation(server, head + chunk + INNER % target)
    assert all(status.split()[1] in {b"400", b"413"} for status in answers)
    assert len(answers) <= 1
    assert stands(services, target)


@pytest.mark.parametrize(
    "line",
    [
        b"GET  / HTTP/1.1\r\n",
        b"GET / HTTP/1.1 HTTP/1.1\r\n",
        b"get / HTTP/1.1\r\n",
        b"GET / HTTP/1.10\r\n",
        b"GET / HTTP/2.0x\r\n",
        b"GET\t/\tHTTP/1.1\r\n",
        b"GET /\x00 HTTP/1.1 \x00\r\n",
    ],
)
def test_a_first_line_that_is_none_is_refused(server: Server, line: bytes) -> None:
    (status,) = conversation(server, line + HOST + b"\r\n")
    assert status.split()[1] in {b"400", b"404"}


def test_headers_have_a_limit(server: Server) -> None:
    large = b"GET / HTTP/1.1\r\n" + HOST + b"X-Large: " + b"x" * 40_000 + b"\r\n\r\n"
    many = b"GET / HTTP/1.1\r\n" + HOST + b"X-Many: 1\r\n" * 4_000 + b"\r\n"
    for request in (large, many):
        (status,) = conversation(server, request)
        assert status == b"HTTP/1.0 431 Request Header Fields Too Large"


@pytest.mark.parametrize("method", [b"TRACE", b"CONNECT", b"DEBUG", b"PROPFIND"])
def test_a_method_that_is_not_ours_is_refused(server: Server, method: bytes) -> None:
    (status,) = conversation(server, method + b" / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert status.split()[1] == b"405"
