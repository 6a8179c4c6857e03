"""What takes long holds few of the server's threads: who comes when these are taken is told so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from voice_transcriber.errors import Busy


@contextmanager
def one_of_few(places: BoundedSemaphore) -> Iterator[None]:
    """Take one of the places for the block. Raises Busy when none is free."""
    if not places.acquire(blocking=False):
        raise Busy
    try:
        yield
    finally:
        places.release()
