"""Requests with a key that are being answered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from voice_transcriber.errors import RequestInFlight
from voice_transcriber.submission import Origin


class InFlight:
    """The keys of those requests. One process answers all of them."""

    def __init__(self) -> None:
        self._keys: set[tuple[str | None, str]] = set()
        self._lock = threading.Lock()

    @contextmanager
    def once(self, origin: Origin) -> Iterator[None]:
        """Raises RequestInFlight while another request with this key is in the block."""
        if origin.request_key is None:
            yield
            return
        key = (origin.submitter, origin.request_key)
        with self._lock:
            if key in self._keys:
                raise RequestInFlight
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)
