"""An HTTP server in a thread of the test, some of whose answers wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Self


class HoldingServer(ThreadingHTTPServer):
    """Answers that wait go on when `go_on` is set, and at the end."""

    daemon_threads = True
    go_on: threading.Event

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Self]:
        with cls() as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            try:
                yield server
            finally:
                server.go_on.set()
                server.shutdown()
                thread.join()
