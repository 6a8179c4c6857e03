"""The decision on a request by its headers alone, before its body is read.

waitress spools the whole body before the application runs; by then 500 MB have
been taken from somebody whom the first kilobyte could have told no. The same
rules run again in the application, which does not rely on this server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

from voice_transcriber.errors import FileTooLarge, InvalidRequest
from voice_transcriber.submission import CHUNK_COPIES
from voice_transcriber.web.access import SIGNED_IN
from voice_transcriber.web.auth import check_host, check_same_origin, given_key, host_of
from voice_transcriber.web.context import keys_of
from voice_transcriber.web.origin import submitter
from voice_transcriber.web.rescue import Rescue, Torn
from voice_transcriber.web.tus import MAX_CHUNK_BYTES, chunk_too_large
from voice_transcriber.web.uploads import FORM_OVERHEAD_BYTES

if TYPE_CHECKING:
    from flask import Flask

    from voice_transcriber.services import Services

UPLOAD_PATH = "/api/v1/jobs"
CHUNK_PATH = "/files"
SMALL_BODY_BYTES = 1024 * 1024  # what any address may take; as Flask's MAX_CONTENT_LENGTH


@dataclass(frozen=True, kw_only=True)
class RequestHead:
    """A request as far as its headers tell."""

    method: str
    path: str
    target: str  # as sent: a path, or a whole URI whose host then counts instead of Host
    headers: Headers
    address: str  # of who sent it
    body_bytes: int | None  # None: chunked, the length is not known


class Admission:
    """Runs on the I/O thread, which all connections share: nothing in it may wait."""

    def __init__(self, app: Flask, services: Services) -> None:
        self._app = app
        self._services = services
        self._hosts = frozenset(services.settings.hosts)

    @property
    def max_body_bytes(self) -> int:
        return self._services.settings.max_file_size_bytes + FORM_OVERHEAD_BYTES

    def check(self, head: RequestHead) -> None:
        """Raises HostNotAllowed, CrossSiteRequest, KeyRequired, TooManyTries, InvalidRequest,
        FileTooLarge, QueueFull, DiskFull or ShuttingDown.
        """
        check_host(head.headers.get("Host", ""), self._hosts)
        if not head.target.startswith("/"):
            check_host(host_of(head.target), self._hosts)
        if head.body_bytes is not None and head.body_bytes <= SMALL_BODY_BYTES:
            return
        self._check_caller(head)
        path = head.path.rstrip("/")
        if f"{path}/".startswith(f"{CHUNK_PATH}/"):
            self._check_chunk(head.body_bytes)
            return
        if (head.method, path) != ("POST", UPLOAD_PATH):
            raise InvalidRequest("This address takes no body of that size.")
        if (head.body_bytes or 0) > self.max_body_bytes:
            raise FileTooLarge
        api_key = self._services.settings.api_key
        self._services.manager.check_accepts(
            size_bytes=head.body_bytes or 0, submitter=submitter(head.address, api_key=api_key)
        )

    def rescue(self, torn: Torn, body: Any) -> Rescue:
        """A task that keeps the beginning of a request; `body` is waitress's buffer with it."""
        return Rescue(
            torn=torn,
            body=body,
            services=self._services,
            check_caller=lambda: self._check_caller(torn.head),
        )

    def _check_chunk(self, body_bytes: int | None) -> None:
        """Part of an upload that can be resumed."""
        if body_bytes is None:
            raise InvalidRequest("The length of the body is not told.")
        if body_bytes > MAX_CHUNK_BYTES:
            raise chunk_too_large()
        self._services.manager.check_room(CHUNK_COPIES * body_bytes)

    def _check_caller(self, head: RequestHead) -> None:
        refusal = keys_of(self._app).refusal(given_key(head.headers), address=head.address)
        if refusal is None and self._services.settings.api_key:
            return
        check_same_origin(head.method, head.headers, host=head.headers.get("Host", ""))
        if refusal and not self._has_session(head.headers):
            raise refusal

    def _has_session(self, headers: Headers) -> bool:
        request = self._app.request_class({"HTTP_COOKIE": headers.get("Cookie", "")})
        session = self._app.session_interface.open_session(self._app, request)
        return session is not None and bool(session.get(SIGNED_IN))
