"""The contract for uploads that come in pieces, and for requests that count once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from voice_transcriber.submission import NewUpload, RequestKey, Upload

REMEMBERED_S = 86_400.0  # how long a request key counts
ACTIVE_S = 3_600.0  # room on the disk is kept so long for an upload that stands still


class SubmissionStore(Protocol):
    """The part of the store that uploads need. An upload that has expired is not found."""

    def add_upload(
        self,
        new: NewUpload,
        *,
        max_open: int,
        max_of_submitter: int,
        key: RequestKey | None = None,
    ) -> Upload:
        """Accept an upload without bytes, or tell the one that the same request made before.

        Raises QueueFull when `max_open` uploads wait for bytes or for their job already,
        TooManyQueued when so many are of one submitter, KeyReused, and NotFound when that upload
        was deleted after its job was made.
        """
        ...

    def upload(self, upload_id: str) -> Upload:
        """Raises NotFound."""
        ...

    def advance_upload(
        self, upload_id: str, *, from_bytes: int, to_bytes: int, expires_at: float
    ) -> Upload:
        """Move the offset, if it still is `from_bytes`. Raises WrongOffset, NotFound."""
        ...

    def set_upload_sha256(self, upload_id: str, sha256: str) -> None:
        """From now on the blob of this address is in use. Raises NotFound."""
        ...

    def delete_upload(self, upload_id: str) -> Upload:
        """What it was. Raises NotFound; an expired one is found here.

        Where no job was made of it, the request that announced it may be sent again.
        """
        ...

    def expired_uploads(self) -> Sequence[Upload]: ...

    def upload_ids(self) -> Collection[str]: ...

    def queued_of(self, submitter: str) -> int:
        """Number of jobs of one submitter that wait."""
        ...

    def awaited_bytes(self) -> int:
        """What is still to come of uploads that moved in the last ACTIVE_S."""
        ...

    def forget_requests(self) -> None:
        """Remove the keys that count no more."""
        ...
