"""A relay between a browser and a server, which counts what the browser really sends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PIECE_BYTES = 65_536


class Relay:
    """Connections to `port` end at the server's port; each direction has a thread of its own."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.sent_bytes = 0  # by browsers, with the heads of their requests

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def serve(self) -> None:
        while True:
            try:
                browser, _ = self._listener.accept()
            except OSError:  # closed
                return
            server = socket.create_connection(("127.0.0.1", self._server_port))
            for pump, ends in ((self._up, (browser, server)), (_copy, (server, browser))):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _up(self, browser: socket.socket, server: socket.socket) -> None:
        for count in _copied(browser, server):
            with self._lock:
                self.sent_bytes += count


def _copy(source: socket.socket, target: socket.socket) -> None:
    for _ in _copied(source, target):
        pass


def _copied(source: socket.socket, target: socket.socket) -> Iterator[int]:
    with source, target:
        try:
            while data := source.recv(PIECE_BYTES):
                target.sendall(data)
                yield len(data)
        except OSError:  # the other direction has ended
            return


@contextmanager
def relay_to(server_port: int) -> Iterator[Relay]:
    relay = Relay(server_port)
    thread = threading.Thread(target=relay.serve)
    thread.start()
    try:
        yield relay
    finally:
        relay.close()
        thread.join()
