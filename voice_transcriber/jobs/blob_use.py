"""When a blob may go: no job names it, and no job that would name it is on its way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from voice_transcriber.blobs.base import BlobStore
from voice_transcriber.errors import TranscriberError
from voice_transcriber.store.base import Store

log = logging.getLogger(__name__)


class BlobUse:
    """Keeps a deletion from taking the file of an equal upload that is being accepted."""

    def __init__(self, store: Store, blobs: BlobStore) -> None:
        self._store = store
        self._blobs = blobs
        self._lock = threading.Lock()
        self._on_their_way = 0
        self._to_delete: set[str] = set()

    @contextmanager
    def job_on_its_way(self) -> Iterator[None]:
        """Between the commit of an upload and that of its job, no blob is deleted."""
        with self._lock:
            self._on_their_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._on_their_way -= 1
                self._delete_now()

    def delete_unneeded(self, sha256: str) -> None:
        """Delete the blob as soon as that is safe, unless a job needs it; a failure only warns."""
        with self._lock:
            self._to_delete.add(sha256)
            self._delete_now()

    def _delete_now(self) -> None:
        if self._on_their_way or not self._to_delete:
            return
        try:
            for sha256 in self._to_delete.difference(self._store.blobs_in_use()):
                self._blobs.delete(sha256)
        except (OSError, TranscriberError) as error:
            # What asked for it is committed already. The next one tries again, or a clean-up.
            log.warning("Files that no job needs could not be deleted: %s", error)
        else:
            self._to_delete.clear()
