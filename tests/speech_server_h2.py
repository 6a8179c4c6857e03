"""The speech server once more, over TLS and HTTP/2 only. Its certificate is made on the spot."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

from tests.speech_server import answer, received_from

OPENSSL = shutil.which("openssl")


@dataclass
class Http2Server:
    url: str
    certificate: Path
    connections: int = 0
    streams: list[int] = field(default_factory=list)
    protocols: list[str | None] = field(default_factory=list)


@contextmanager
def http2_server(folder: Path) -> Iterator[Http2Server]:
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Http2Server(f"https://127.0.0.1:{listener.getsockname()[1]}", certificate)
        threading.Thread(target=_accept, args=(listener, context, server), daemon=True).start()
        yield server


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    assert OPENSSL is not None
    subprocess.run(
        [OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return certificate, key


def _accept(listener: socket.socket, context: ssl.SSLContext, server: Http2Server) -> None:
    with suppress(OSError):  # the listener is closed at the end
        while True:
            connection, _address = listener.accept()
            server.connections += 1
            threading.Thread(target=_talk, args=(connection, context, server), daemon=True).start()


def _talk(connection: socket.socket, context: ssl.SSLContext, server: Http2Server) -> None:
    with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
        server.protocols.append(secure.selected_alpn_protocol())
        talk = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        talk.initiate_connection()
        secure.sendall(talk.data_to_send())
        heads: dict[int, dict[str, str]] = {}
        bodies: dict[int, bytearray] = {}
        while data := secure.recv(65_536):
            for event in talk.receive_data(data):
                match event:
                    case RequestReceived():
                        heads[event.stream_id] = dict(event.headers)
                        bodies[event.stream_id] = bytearray()
                    case DataReceived():
                        bodies[event.stream_id] += event.data
                        talk.acknowledge_received_data(
                            event.flow_controlled_length, event.stream_id
                        )
                    case StreamEnded():
                        server.streams.append(event.stream_id)
                        head = heads[event.stream_id]
                        received = received_from(
                            path=head[":path"],
                            key=head.get("authorization"),
                            content_type=head["content-type"],
                            body=bytes(bodies[event.stream_id]),
                        )
                        talk.send_headers(event.stream_id, [(":status", "200")])
                        body = answer(received, "english")
                        talk.send_data(event.stream_id, body, end_stream=True)
            secure.sendall(talk.data_to_send())
