"""Clients that send or read too slowly, beside people who use the server as it is meant."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.faults.figures import spread
from tests.faults.server import Server
from tests.faults.visitors import visitors

MEDIA_BYTES = 40_000_000
EXPORT_READERS = 20  # more than the server has threads
PIECE_EVERY_S = 2.0
HEAD = b"Host: localhost\r\nX-Slow: "
UPLOAD = b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400000000\r\n\r\n"


def slow_clients(
    folder: Path, *, seconds: float, players: int = 12, slow: int = 90
) -> dict[str, Any]:
    """Stalled players, readers of archives who read nothing, and clients that send a byte now and
    then: a third in the headers, a third in the body, a third nothing at all.
    """
    server = Server(folder)
    held: list[socket.socket] = []
    over = threading.Event()
    try:
        server.start()
        audio, archive = _addresses(server, folder)
        process = psutil.Process(server.process.pid)
        before_bytes = process.memory_info().rss
        held += [_reader(server, audio) for _ in range(players)]
        held += [_reader(server, archive) for _ in range(EXPORT_READERS)]
        trickle = threading.Thread(target=_trickle, args=(server, slow, over))
        trickle.start()
        with visitors(server) as visits:
            time.sleep(seconds)
        over.set()
        trickle.join()
        after_bytes = process.memory_info().rss
        still_whole = _takes_all(server, audio)
    finally:
        over.set()
        for connection in held:
            connection.close()
        server.close()
    return {
        "players": players,
        "archive_readers": EXPORT_READERS,
        "slow_senders": slow,
        "seconds": seconds,
        "failed": visits.failed[:20],
        "request_s": spread(visits.took_s),
        "memory_growth_mb": round((after_bytes - before_bytes) / 1e6, 1),
        "violations": [] if still_whole else ["A recording could not be read to its end."],
    }


def _addresses(server: Server, folder: Path) -> tuple[str, str]:
    """A large recording and an archive; the recording itself is no sound, and its job fails."""
    recording = folder / "large.wav"
    recording.write_bytes(b"RIFF" + bytes(MEDIA_BYTES))
    with server.client() as web:
        with recording.open("rb") as file:
            job = web.post("/api/v1/jobs", files={"file": file}).json()["id"]
        sample = web.post("/api/v1/jobs/sample").json()["id"]
    assert server.finish(sample)["status"] == "completed"
    return f"/api/v1/jobs/{job}/audio", f"/api/v1/jobs/export?ids={sample}&formats=txt,json,docx"


def _connect(server: Server) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", int(server.environ["PORT"])))
    return connection


def _reader(server: Server, address: str) -> socket.socket:
    """Asks three times, and reads nothing."""
    connection = _connect(server)
    connection.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 3)
    return connection


def _trickle(server: Server, count: int, over: threading.Event) -> None:
    """The same number is always there: who is thrown out comes again, as an attacker would."""
    starts = (b"GET / HTTP/1.1\r\n" + HEAD, UPLOAD, b"")
    senders: dict[int, socket.socket] = {}
    while not over.wait(PIECE_EVERY_S):
        for number in range(count):
            if number not in senders:
                senders[number] = _connect(server)
                _send(senders, number, starts[number % 3])
            elif number % 3 < 2:
                _send(senders, number, b"x")
    for connection in senders.values():
        connection.close()


def _send(senders: dict[int, socket.socket], number: int, data: bytes) -> None:
    try:
        senders[number].sendall(data)
    except OSError:
        senders.pop(number).close()


def _takes_all(server: Server, address: str) -> bool:
    with server.client() as web:
        return len(web.get(address).content) == MEDIA_BYTES + 4


def violations(row: dict[str, Any]) -> Sequence[str]:
    return [*row["failed"], *row["violations"]]
