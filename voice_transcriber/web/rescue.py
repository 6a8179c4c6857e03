"""What was received of an upload's PATCH whose sender has gone: these bytes are kept.

waitress gives a request to the application when all of it is there. tus asks a
server to store as much as it got, so that a bad line costs little.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voice_transcriber.errors import InvalidRequest, TranscriberError
from voice_transcriber.web.tus import CHUNK_TYPE, pieces_of
from voice_transcriber.web.tus_headers import VERSION, parse_number

if TYPE_CHECKING:
    from voice_transcriber.services import Services
    from voice_transcriber.web.admission import RequestHead

_PATH = re.compile(r"/files/([0-9a-f]{32})")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Torn:
    """A request whose beginning is worth to be kept: which bytes of which upload it is to bring."""

    head: RequestHead
    upload_id: str
    offset_bytes: int
    begun_at: float  # by time.monotonic

    @classmethod
    def of(cls, head: RequestHead) -> Torn | None:
        """Of one that begins now; None when its beginning alone would be worth nothing."""
        path = _PATH.fullmatch(head.path)
        wanted = (
            head.method == "PATCH"
            and head.body_bytes
            and head.headers.get("Tus-Resumable") == VERSION
            and head.headers.get("Content-Type") == CHUNK_TYPE
            and "Upload-Checksum" not in head.headers  # it is that of all bytes
        )
        if path is None or not wanted:
            return None
        try:
            offset_bytes = parse_number("Upload-Offset", head.headers.get("Upload-Offset"))
        except InvalidRequest:
            return None
        return cls(
            head=head,
            upload_id=path[1],
            offset_bytes=offset_bytes,
            begun_at=time.monotonic(),
        )


@dataclass(frozen=True, kw_only=True)
class Rescue:
    """A task for waitress's threads; nobody waits for an answer."""

    torn: Torn
    body: Any  # waitress's buffer
    services: Services
    check_caller: Callable[[], None]  # as for a whole request

    def service(self) -> None:
        try:
            self.check_caller()
            self.services.uploads.append(
                self.torn.upload_id,
                offset_bytes=self.torn.offset_bytes,
                length_bytes=len(self.body),
                pieces=pieces_of(self.body.getfile()),
                begun_at=self.torn.begun_at,
            )
        except TranscriberError as error:
            _log.info("The beginning of a torn request was not kept: %s", error.message)
        finally:
            self.body.close()

    def cancel(self) -> None:
        self.body.close()
