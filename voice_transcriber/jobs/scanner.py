"""The virus scanner clamd, asked before an upload becomes a job. Away, it lets nothing through."""

from __future__ import annotations

import socket
import struct
import time
from pathlib import Path
from threading import BoundedSemaphore

from voice_transcriber.errors import FileTooLarge, Infected, ScannerAway
from voice_transcriber.few import one_of_few

SCANS_AT_ONCE = 8  # each holds a thread of the server; clamd itself takes ten
CONNECT_S = 5.0
SILENCE_S = 30.0  # without a byte taken or said
LIMIT_S = 120.0  # for one file
PIECE_BYTES = 256 * 1024
MOST_ANSWER_BYTES = 4096


class Clamd:
    """Speaks INSTREAM: the file is sent to clamd, which needs no right to read it."""

    def __init__(
        self, address: str, *, silence_s: float = SILENCE_S, limit_s: float = LIMIT_S
    ) -> None:
        """`address` is host:port, or the path of a socket; nothing is opened yet."""
        self._address = address
        self._silence_s = silence_s
        self._limit_s = limit_s
        self._places = BoundedSemaphore(SCANS_AT_ONCE)

    def check(self, path: Path) -> None:
        """Raises Infected, ScannerAway, Busy, and FileTooLarge when clamd takes no such file."""
        with one_of_few(self._places):
            try:
                answer = self._scan(path, deadline=time.monotonic() + self._limit_s)
            except OSError as error:
                raise ScannerAway(
                    f"The virus scanner at {self._address} cannot be used: {error}."
                ) from error
        _judge(answer)

    def _scan(self, path: Path, *, deadline: float) -> str:
        with self._connect() as connection, path.open("rb") as file:
            connection.settimeout(self._silence_s)
            try:
                connection.sendall(b"zINSTREAM\0")
                while piece := file.read(PIECE_BYTES):
                    _check_time(deadline)
                    connection.sendall(struct.pack("!L", len(piece)) + piece)
                connection.sendall(struct.pack("!L", 0))
            except (BrokenPipeError, ConnectionResetError):
                pass  # clamd says why, where the file is too large for it
            return _answer(connection, deadline)

    def _connect(self) -> socket.socket:
        if not self._address.startswith("/"):
            host, _, port = self._address.rpartition(":")
            return socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(CONNECT_S)
            connection.connect(self._address)
        except OSError:
            connection.close()
            raise
        return connection


def _answer(connection: socket.socket, deadline: float) -> str:
    """Up to the zero byte that ends it; without one it may be cut off, and is none."""
    answer = b""
    while not answer.endswith(b"\0"):
        _check_time(deadline)
        piece = connection.recv(MOST_ANSWER_BYTES)
        answer += piece
        if not piece or len(answer) > MOST_ANSWER_BYTES:
            raise ConnectionError("it gave no whole answer")
    return answer[:-1].decode("utf-8", "replace").strip()


def _check_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError("it takes too long")


def _judge(answer: str) -> None:
    verdict = answer.removeprefix("stream:").strip()
    if verdict == "OK":
        return
    if verdict.endswith(" FOUND"):
        raise Infected(f"The virus scanner found {verdict.removesuffix(' FOUND')[:100]!r}.")
    if "size limit exceeded" in verdict:
        raise FileTooLarge(
            "The file is larger than the virus scanner takes.",
            remedy="Set StreamMaxLength in clamd.conf to MAX_FILE_SIZE and restart clamd, or send "
            "a smaller file.",
        )
    raise ScannerAway(f"The virus scanner gave no verdict: {verdict[:100]!r}.")
