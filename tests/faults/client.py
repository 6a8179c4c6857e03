"""A client that keeps a number of jobs in flight, whatever happens to the server meanwhile."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.faults.server import Server

LOOK_S = 0.25


class Client:
    """Submits recordings in turn; a thread of its own."""

    def __init__(self, server: Server, recordings: Sequence[Path], *, in_flight: int) -> None:
        self._server = server
        self._recordings = itertools.cycle(recordings)
        self._in_flight = in_flight
        self._over = threading.Event()
        self._web = server.client()
        self._thread = threading.Thread(target=self._run, name="client", daemon=True)
        self.trouble: Exception | None = None  # what ended the thread

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Raises what the thread met, at its end."""
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()
            self._web.close()
        if self.trouble:
            raise self.trouble

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._fill_up()
            except httpx.TransportError:  # the server is down just now
                pass
            except Exception as error:
                self.trouble = error
                return
            self._over.wait(LOOK_S)

    def _fill_up(self) -> None:
        for _ in range(self._in_flight - len(self._server.live_jobs(self._web))):
            if self._over.is_set():
                return
            answer = self._server.send(next(self._recordings), self._web)
            if answer is None:
                return
            assert answer.status_code in {202, 503, 507}, answer.text


def wait_in_flight(server: Server, count: int, *, patience_s: float = 60.0) -> None:
    """Until so many jobs have not ended."""
    deadline_s = time.monotonic() + patience_s
    while server.live() < count:
        assert time.monotonic() < deadline_s, f"{count} jobs never were in flight"
        time.sleep(0.05)
