"""A stand-in for clamd that speaks its protocol (INSTREAM) on a real socket, and can misbehave."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

VIRUS = b"THIS-IS-THE-VIRUS-OF-A-TEST"


@dataclass
class FakeClamd:
    """Finds VIRUS; what else it does is set by a test at any time."""

    listener: socket.socket
    max_stream_bytes: int = 25_000_000  # clamd's own default
    says: bytes | None = None  # in place of a verdict
    is_silent: bool = False  # takes the file, and never answers
    takes_nothing: bool = False  # does not even read
    scanned: list[bytes] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        name = self.listener.getsockname()
        return name if isinstance(name, str) else f"127.0.0.1:{name[1]}"

    def stop(self) -> None:
        """Nobody listens any more; harmless a second time."""
        self.over.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(30)
            if self.takes_nothing:
                self.over.wait()
                return
            content = self._received(connection)
            if content is None:
                connection.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                return
            self.scanned.append(content)
            if self.is_silent:
                self.over.wait()
                return
            verdict = b"Test.Virus-1 FOUND" if VIRUS in content else b"OK"
            connection.sendall(
                self.says if self.says is not None else b"stream: " + verdict + b"\0"
            )

    def _received(self, connection: socket.socket) -> bytes | None:
        """None when the stream is larger than allowed: the rest is not read, as clamd does."""
        assert _exactly(connection, 10) == b"zINSTREAM\0"
        content = b""
        while length := struct.unpack("!L", _exactly(connection, 4))[0]:
            if len(content) + length > self.max_stream_bytes:
                return None
            content += _exactly(connection, length)
        return content


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data


@contextmanager
def fake_clamd(path: Path | None = None) -> Iterator[FakeClamd]:
    """Listens on a port of its own, or on a socket at `path`."""
    if path is None:
        listener = socket.create_server(("127.0.0.1", 0))
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
    clamd = FakeClamd(listener)
    thread = threading.Thread(target=clamd.serve, daemon=True)
    thread.start()
    try:
        yield clamd
    finally:
        clamd.stop()
        thread.join()
