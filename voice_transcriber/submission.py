"""What comes in: who sent it, what makes it count once, and uploads on their way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CHUNK_COPIES = 2  # of a part of an upload: the server's spool, and the file it is appended to


@dataclass(frozen=True, kw_only=True)
class RequestKey:
    """What makes a request that is sent again count once."""

    scope: str  # who sent it: keys of different clients never meet
    key: str  # the client's
    fingerprint: str  # of all that the request asks for


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Who asks."""

    submitter: str | None = None  # API key or address; None: a client on this machine
    request_key: str | None = None  # the client's name for the request, its Idempotency-Key

    def key_for(self, wanted: Mapping[str, Any]) -> RequestKey | None:
        """`wanted` is all that the request asks for, as JSON values; None without a key."""
        if self.request_key is None:
            return None
        text = json.dumps(wanted, sort_keys=True)
        return RequestKey(
            scope=self.submitter or "",
            key=self.request_key,
            fingerprint=hashlib.sha256(text.encode()).hexdigest(),
        )


@dataclass(frozen=True, kw_only=True)
class Once:
    """What makes a submission count once: a client's key, the upload it is about, or both."""

    key: RequestKey | None = None
    upload_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class NewUpload:
    """An upload that is about to be announced."""

    id: str
    size_bytes: int
    metadata: str  # as the client wrote it
    submitter: str | None  # None: a client on this machine
    expires_at: float  # Unix seconds


@dataclass(frozen=True, kw_only=True)
class Upload(NewUpload):
    """One row of the store's table `uploads`."""

    offset_bytes: int  # so many bytes are on the disk
    sha256: str | None  # of the whole file, once it is on its way to its address
    job_id: str | None  # the one job that was made of it

    @property
    def is_whole(self) -> bool:
        return self.offset_bytes == self.size_bytes
