"""Who asks again and again keeps the connection, also where the answer has no body."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest

from voice_transcriber.web.server import Server

CHANGES = "/api/v1/jobs/changes?since=0"


@pytest.fixture
def connection(server: Server) -> Iterator[HTTPConnection]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    yield connection
    connection.close()


def ask(connection: HTTPConnection, **headers: str) -> HTTPResponse:
    connection.request("GET", CHANGES, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer


def test_nothing_new_leaves_the_connection_open(connection: HTTPConnection) -> None:
    tag = ask(connection).headers["ETag"]
    socket = connection.sock
    for _ in range(3):
        assert ask(connection, **{"If-None-Match": tag}).status == 304
        assert connection.sock is socket


def test_who_wants_it_closed_gets_it_closed(connection: HTTPConnection) -> None:
    tag = ask(connection).headers["ETag"]
    answer = ask(connection, **{"If-None-Match": tag, "Connection": "close"})
    assert (answer.status, answer.headers["Connection"]) == (304, "close")
