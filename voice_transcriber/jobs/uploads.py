"""Uploads that come in pieces: from their announcement to the one job that is made of each."""

from __future__ import annotations

import logging
import math
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock

from voice_transcriber.blobs.base import PartialStore, StoredBlob
from voice_transcriber.errors import (
    Busy,
    EmptyFile,
    FileTooLarge,
    Infected,
    NotFound,
    TranscriberError,
    WrongOffset,
    WrongState,
)
from voice_transcriber.job import Job, Priority, TranscribeOptions
from voice_transcriber.jobs.manager import JobManager
from voice_transcriber.store.base import Store
from voice_transcriber.submission import CHUNK_COPIES, NewUpload, Origin, Upload

LOCKS = 256  # two uploads rarely share one
LOCK_WAIT_S = 2.0  # a whole upload is hashed and scanned under its lock; others come again then

log = logging.getLogger(__name__)


class Uploads:
    """Called from any thread. What was acknowledged of an upload survives a power cut.

    What looks at or changes an upload raises Busy while another request works on it.
    """

    def __init__(
        self,
        *,
        store: Store,
        partials: PartialStore,
        manager: JobManager,
        max_size_bytes: int,
        max_open: int,
        max_of_submitter: int,
        expiry_s: float,
    ) -> None:
        self._store = store
        self._partials = partials
        self._manager = manager
        self._max_size_bytes = max_size_bytes
        self._max_open = max_open
        self._max_of_submitter = max_of_submitter
        self._expiry_s = expiry_s
        self._locks = [Lock() for _ in range(LOCKS)]
        self._looked_at: dict[str, float] = {}  # monotonic

    def create(self, *, size_bytes: int, metadata: str, origin: Origin) -> Upload:
        """Announce an upload, or find the one that the same request announced before.

        Raises EmptyFile, FileTooLarge, QueueFull, TooManyQueued, DiskFull, ShuttingDown, KeyReused,
        and NotFound when that one was deleted after its job was made.
        """
        if not size_bytes:
            raise EmptyFile
        if size_bytes > self._max_size_bytes:
            raise FileTooLarge
        self._manager.check_accepts(size_bytes=size_bytes, copies=1, submitter=origin.submitter)
        new = NewUpload(
            id=uuid.uuid4().hex,
            size_bytes=size_bytes,
            metadata=metadata,
            submitter=origin.submitter,
            expires_at=time.time() + self._expiry_s,
        )
        # The file first: an upload whose file is missing could never go on.
        self._partials.create(new.id)
        try:
            upload = self._store.add_upload(
                new,
                max_open=self._max_open,
                max_of_submitter=self._max_of_submitter,
                key=origin.key_for({"upload": [size_bytes, metadata]}),
            )
        except TranscriberError:
            self._partials.delete(new.id)
            raise
        if upload.id != new.id:
            self._partials.delete(new.id)
        return upload

    def find(self, upload_id: str) -> Upload:
        """Raises NotFound."""
        return self._store.upload(upload_id)

    def look(self, upload_id: str) -> Upload:
        """As `find`, for a client that wants to go on: what it sent before comes too late now."""
        with self._locked(upload_id):
            upload = self._store.upload(upload_id)
            self._looked_at[upload_id] = time.monotonic()
            return upload

    def append(
        self,
        upload_id: str,
        *,
        offset_bytes: int,
        length_bytes: int,
        pieces: Iterable[bytes],
        begun_at: float = math.inf,
    ) -> Upload:
        """Add bytes at the offset; when this returns they are durable.

        `begun_at` tells, by time.monotonic, when a request began that was torn.
        Raises NotFound, WrongOffset, FileTooLarge (`length_bytes` goes beyond the announced size),
        DiskFull, ShuttingDown, and what `pieces` raises: nothing of them is kept then.
        """
        self._manager.check_room(CHUNK_COPIES * length_bytes)
        with self._locked(upload_id):
            upload = self._store.upload(upload_id)
            is_late = begun_at < self._looked_at.get(upload_id, -math.inf)
            if upload.offset_bytes != offset_bytes or is_late:
                raise WrongOffset(f"The upload goes on at byte {upload.offset_bytes}.")
            if offset_bytes + length_bytes > upload.size_bytes:
                raise FileTooLarge(
                    "The part is longer than what is missing of the upload.",
                    remedy="Send no more than Upload-Length said, or begin a new upload.",
                )
            if not length_bytes:
                return upload
            written = self._partials.append(upload_id, offset_bytes=offset_bytes, pieces=pieces)
            return self._store.advance_upload(
                upload_id,
                from_bytes=offset_bytes,
                to_bytes=offset_bytes + written,
                expires_at=time.time() + self._expiry_s,
            )

    def submit(
        self,
        upload_id: str,
        *,
        filename: str,
        options: TranscribeOptions,
        priority: Priority,
        origin: Origin,
    ) -> Job:
        """Make the one job of a whole upload, or find it; raises as JobManager.submit does.

        Also WrongState when bytes are missing, and NotFound. After any other error but Infected the
        upload is still there.
        """
        with self._locked(upload_id):
            upload = self._store.upload(upload_id)
            if upload.job_id:
                return self._store.get(upload.job_id)
            if not upload.is_whole:
                raise WrongState(
                    f"The upload has {upload.offset_bytes} of {upload.size_bytes} bytes.",
                    remedy="Send the rest first.",
                )
            self._manager.check_accepts(submitter=origin.submitter)
            try:
                return self._manager.submit(
                    _Whole(upload, self._partials, self._store),
                    filename=filename,
                    options=options,
                    priority=priority,
                    origin=origin,
                    upload_id=upload_id,
                )
            except Infected:
                self._delete(upload_id)
                raise

    def terminate(self, upload_id: str) -> None:
        """Forget an upload with its bytes; a job that was made of it stays. Raises NotFound."""
        with self._locked(upload_id):
            self._store.upload(upload_id)
            self._delete(upload_id)

    def tidy(self) -> None:
        """Delete what has expired, files that no upload names, and keys that count no more.

        What cannot be deleted now, on a full disk say, stays until the next round.
        """
        try:
            self._tidy()
        except TranscriberError as error:
            log.warning("Uploads could not be tidied: %s", error.message)

    def _tidy(self) -> None:
        for upload in self._store.expired_uploads():
            with suppress(Busy), self._locked(upload.id):
                try:
                    self._store.upload(upload.id)  # it went on meanwhile
                except NotFound:
                    self._delete(upload.id)
        strays = self._partials.delete_unnamed(
            self._store.upload_ids(), older_than_s=self._expiry_s
        )
        if strays:
            log.info("%d files of forgotten uploads were deleted.", strays)
        self._store.forget_requests()

    def _delete(self, upload_id: str) -> None:
        try:
            self._looked_at.pop(upload_id, None)
            upload = self._store.delete_upload(upload_id)
        except NotFound:  # another round was quicker
            return
        self._partials.delete(upload_id)
        if upload.sha256:
            self._manager.delete_unneeded_blob(upload.sha256)

    @contextmanager
    def _locked(self, upload_id: str) -> Iterator[None]:
        """One change of an upload at a time. Raises Busy: each that waits holds a web thread."""
        lock = self._locks[hash(upload_id) % LOCKS]
        if not lock.acquire(timeout=LOCK_WAIT_S):
            raise Busy("Another request works on this upload.")
        try:
            yield
        finally:
            lock.release()


@dataclass(frozen=True)
class _Whole:
    """A finished upload as the manager takes it: a blobs.base.StagedBlob."""

    upload: Upload
    partials: PartialStore
    store: Store

    @property
    def size_bytes(self) -> int:
        return self.upload.size_bytes

    def commit(self) -> StoredBlob:
        """The hash is noted first: after a crash the bytes are found under either name."""
        sha256 = self.upload.sha256
        if sha256 is None:
            sha256 = self.partials.sha256(self.upload.id, size_bytes=self.size_bytes)
            self.store.set_upload_sha256(self.upload.id, sha256)
        return self.partials.adopt(self.upload.id, sha256)

    def discard(self) -> None:
        """The bytes stay until they have a job, or expire."""
