"""An HTTP server of one model file that behaves as the network does."""

from __future__ import annotations

import hashlib
import io
import random
import re
import threading
import zipfile
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.http_server import HoldingServer
from voice_transcriber.engines.download import Source
from voice_transcriber.engines.published import Checkpoint


def _body() -> bytes:
    """A file that the fake engine takes for a model: torch saves archives too."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("weights", random.Random(7).randbytes(300_000))
    return file.getvalue()


BODY = _body()


class ModelServer(HoldingServer):
    """Serves BODY and keeps the Range header of every request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ranges: list[str | None] = []
        self.cuts: list[int] = []  # answer n ends after so many bytes
        self.statuses: list[int] = []  # answer n has this status and no body
        self.ignores_range = False
        self.held_after: int | None = None  # bytes after which an answer waits for `go_on`
        self.go_on = threading.Event()

    def published(self, *, body: bytes = BODY) -> Mapping[str, Checkpoint]:
        """A table of one model, `base`; its hash is that of `body`."""
        source = Source(url=self.url, sha256=hashlib.sha256(body).hexdigest(), size_bytes=len(body))
        return {"base": Checkpoint(source=source, note="Quick; fair text from clear speech.")}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/base.pt"


class _Handler(BaseHTTPRequestHandler):
    server: ModelServer

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.ranges.append(asked)
        if self.server.statuses:
            self.send_error(self.server.statuses.pop(0))
            return
        start = self._start(asked)
        if start >= len(BODY):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(BODY)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
        self.send_header("Content-Length", str(len(BODY) - start))
        self.end_headers()
        self._send_body(BODY[start:])

    def _start(self, asked: str | None) -> int:
        if asked is None or self.server.ignores_range:
            return 0
        found = re.fullmatch(r"bytes=(\d+)-", asked)
        assert found is not None
        return int(found[1])

    def _send_body(self, body: bytes) -> None:
        if self.server.cuts:
            self.wfile.write(body[: self.server.cuts.pop(0)])
            return
        held = self.server.held_after
        if held is not None:
            self.wfile.write(body[:held])
            self.server.go_on.wait(30)
            body = body[held:]
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return
