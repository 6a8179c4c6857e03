"""GET /api/v1/jobs/{id}/audio, through the real server: it sends files in a way of its own."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack

import httpx
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from voice_transcriber.web.server import THREADS, Server

CONTENT = bytes(range(256)) * 1000
SIZE = len(CONTENT)


@pytest.fixture
def address(submit: Callable[..., TestResponse]) -> str:
    return f"{submit(CONTENT, 'talk.mp3').location}/audio"


def test_it_gives_the_whole_file(web: httpx.Client, address: str) -> None:
    answer = web.get(address)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"].startswith("private")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=1000-", 1000, SIZE),
        ("bytes=-50", SIZE - 50, SIZE),
        ("bytes=0-", 0, SIZE),
        (f"bytes=10-{SIZE * 2}", 10, SIZE),
    ],
)
def test_it_gives_the_range_that_is_asked_for(
    web: httpx.Client, address: str, asked: str, start: int, stop: int
) -> None:
    answer = web.get(address, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == CONTENT[start:stop]
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"


def test_ranges_are_the_same_without_the_server(client: FlaskClient, address: str) -> None:
    answer = client.get(address, headers={"Range": "bytes=10-19"})
    assert (answer.status_code, answer.data) == (206, CONTENT[10:20])


def test_a_range_beyond_the_end_is_refused(web: httpx.Client, address: str) -> None:
    answer = web.get(address, headers={"Range": f"bytes={SIZE}-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=b-a"])
def test_what_is_no_single_range_gives_the_whole_file(
    web: httpx.Client, address: str, asked: str
) -> None:
    answer = web.get(address, headers={"Range": asked})
    assert (answer.status_code, len(answer.content)) == (200, SIZE)


def test_a_range_of_another_version_gives_the_whole_file(web: httpx.Client, address: str) -> None:
    etag = web.head(address).headers["ETag"]
    same = web.get(address, headers={"Range": "bytes=0-9", "If-Range": etag})
    other = web.get(address, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (same.status_code, other.status_code) == (206, 200)


def test_a_page_with_the_name_of_a_recording_is_not_shown(
    web: httpx.Client, submit: Callable[..., TestResponse]
) -> None:
    page = b"<script>alert(1)</script>"
    as_audio = web.get(f"{submit(page, 'talk.wav').location}/audio")
    as_page = web.get(f"{submit(page, 'talk.html').location}/audio")
    assert as_audio.headers["Content-Type"] == "audio/wav"
    assert as_page.headers["Content-Type"] == "application/octet-stream"
    assert as_page.headers["Content-Disposition"].startswith("attachment")


def test_players_that_stand_still_leave_the_server_free(
    server: Server, web: httpx.Client, submit: Callable[..., TestResponse]
) -> None:
    address = f"{submit(bytes(20_000_000), 'long.wav').location}/audio"
    head = f"GET {address} HTTP/1.1\r\nHost: localhost\r\nRange: bytes=1-\r\n\r\n".encode()
    with ExitStack() as players:
        for _ in range(THREADS + 4):
            player = socket.create_connection(("127.0.0.1", server.port))
            players.enter_context(player).sendall(head)
            assert player.recv(12) == b"HTTP/1.1 206"
        assert web.get("/health/ready").status_code == 200
