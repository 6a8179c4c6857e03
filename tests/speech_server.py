"""A server of OpenAI's transcription dialect that behaves as servers and networks do.

Its text follows from the samples: one word for each second of what it was sent.
"""

from __future__ import annotations

import hashlib
import io
import json
import socket
import struct
import threading
import wave
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from werkzeug.formparser import parse_form_data

from tests.http_server import HoldingServer
from voice_transcriber.engines.fake import WORDS
from voice_transcriber.job import SAMPLE_RATE

SEGMENT_S = 5
HANGS_S = 20.0  # longer than any test waits for an answer


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request that was read to its end."""

    path: str
    key: str | None  # of the header Authorization
    fields: Mapping[str, list[str]]
    pcm: bytes

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / SAMPLE_RATE


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An answer that is no transcript."""

    status: int
    message: str = "no"
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str | None = None

    @property
    def body(self) -> bytes:
        error = {"message": self.message, "type": "x", "param": None, "code": self.code}
        return json.dumps({"error": error}).encode()


HANG = "hang"  # no answer
RESET = "reset"  # the connection is reset while the request is sent
CUT = "cut"  # the answer breaks off
GARBAGE = "garbage"  # the answer is no JSON
Fault = Refusal | str


class SpeechServer(HoldingServer):
    """Answers each request as `faults` say, one after the other, and then well."""

    request_queue_size = 32

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[Received] = []
        self.faults: list[Fault] = []
        self.fault_for_all: Fault | None = None
        self.max_seconds: float | None = None  # longer audio gets 413
        self.forms = {"verbose_json", "json", "text"}  # others are refused
        self.language: str | None = "english"
        self.most_at_once = 0
        self.held_after: int | None = None  # answers after so many wait for `go_on`
        self.go_on = threading.Event()
        self.gone = threading.Event()  # a client closed the connection before its answer
        self.connections = 0
        self.at_once = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next_fault(self) -> Fault | None:
        with self._lock:
            return self.faults.pop(0) if self.faults else self.fault_for_all

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield
        finally:
            with self._lock:
                self.at_once -= 1

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SpeechServer

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        with self.server.counted():
            self._answer()

    def _answer(self) -> None:
        fault = self.server.next_fault()
        if fault == RESET:
            self.rfile.read(1000)
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()
            return
        received = self._read()
        if received is None:
            self.server.gone.set()
            self.close_connection = True
            return
        held_after = self.server.held_after
        if held_after is not None and len(self.server.received) >= held_after:
            self._wait()
        if fault == HANG:
            self.server.go_on.wait(HANGS_S)
            self.close_connection = True
            return
        if isinstance(fault, Refusal):
            self._send(fault.status, fault.body, fault.headers)
            return
        if refusal := self._refusal(received):
            self._send(refusal.status, refusal.body, refusal.headers)
            return
        self.server.received.append(received)
        body = b"no json {" if fault == GARBAGE else answer(received, self.server.language)
        self._send(200, body, {}, cut=fault == CUT)

    def _read(self) -> Received | None:
        """None when the client goes away before the end."""
        length = int(self.headers["Content-Length"])
        try:
            body = self.rfile.read(length)
        except OSError:
            return None
        if len(body) < length:
            return None
        return received_from(
            path=self.path,
            key=self.headers["Authorization"],
            content_type=self.headers["Content-Type"],
            body=body,
        )

    def _wait(self) -> None:
        """Until the test lets it go on, or the client goes away."""
        self.connection.settimeout(0.05)
        while not self.server.go_on.is_set():
            try:
                if not self.connection.recv(1, socket.MSG_PEEK):
                    self.server.gone.set()
                    return
            except TimeoutError:
                continue
            except OSError:
                self.server.gone.set()
                return
        self.connection.settimeout(None)

    def _refusal(self, received: Received) -> Refusal | None:
        limit, form = self.server.max_seconds, received.fields["response_format"][0]
        if limit is not None and received.seconds > limit:
            return Refusal(status=413, message="Maximum content size limit exceeded")
        if form not in self.server.forms:
            return Refusal(status=400, message=f"response_format '{form}' is not supported")
        return None

    def _send(
        self, status: int, body: bytes, headers: Mapping[str, str], *, cut: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut

    def log_message(self, format: str, *args: Any) -> None:
        return


def received_from(*, path: str, key: str | None, content_type: str, body: bytes) -> Received:
    """The parts of a form, and the samples of its WAV file."""
    _, fields, files = parse_form_data(
        {
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": content_type,
            "REQUEST_METHOD": "POST",
        }
    )
    with closing(files["file"]) as upload, wave.open(upload.stream, "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        pcm = file.readframes(file.getnframes())
    return Received(path=path, key=key, fields=dict(fields.lists()), pcm=pcm)


def answer(received: Received, language: str | None) -> bytes:
    """In the form that was asked for."""
    segments = segments_of(received.pcm)
    text = "".join(segment["text"] for segment in segments).strip()
    match received.fields["response_format"][0]:
        case "text":
            return text.encode()
        case "json":
            return json.dumps({"text": text}).encode()
    words = "word" in received.fields.get("timestamp_granularities[]", [])
    shape = {
        "task": "transcribe",
        "language": language,
        "duration": received.seconds,
        "text": text,
        "segments": segments,
    }
    return json.dumps(shape | ({"words": words_of(segments)} if words else {})).encode()


def segments_of(pcm: bytes) -> list[dict[str, Any]]:
    """One for each SEGMENT_S seconds, and one for the rest."""
    step = SEGMENT_S * SAMPLE_RATE * 2
    return [
        {
            "id": number,
            "start": at / 2 / SAMPLE_RATE,
            "end": min(at + step, len(pcm)) / 2 / SAMPLE_RATE,
            "text": f" {' '.join(_words(pcm[at : at + step]))}.",
            "tokens": [1, 2],
            "avg_logprob": -0.2,
            "compression_ratio": 1.1,
            "no_speech_prob": 0.01,
            "temperature": 0.0,
        }
        for number, at in enumerate(range(0, len(pcm), step))
    ]


def words_of(segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without spaces and points, as OpenAI lists them."""
    found = []
    for segment in segments:
        words = segment["text"].strip(" .").split()
        step_s = (segment["end"] - segment["start"]) / len(words)
        for number, word in enumerate(words):
            start_s = segment["start"] + number * step_s
            found.append({"word": word, "start": start_s, "end": start_s + step_s})
    return found


def _words(pcm: bytes) -> list[str]:
    second = SAMPLE_RATE * 2
    return [
        WORDS[hashlib.sha256(pcm[at : at + second]).digest()[0] % len(WORDS)]
        for at in range(0, len(pcm), second)
    ]
