"""The decision on a request by its headers alone, before its body is read.

waitress spools the whole body before the application runs; by then 500 MB have
been taken from somebody whom the first kilobyte could have told no. The same
rules run again in the application, which does not rely on this server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

from voice_transcriber.errors import FileTooLarge, InvalidRequest, KeyRequired
from voice_transcriber.web.access import SIGNED_IN
from voice_transcriber.web.auth import carries_key, check_host, check_same_origin
from voice_transcriber.web.uploads import FORM_OVERHEAD_BYTES

if TYPE_CHECKING:
    from flask import Flask

    from voice_transcriber.services import Services

UPLOAD_PATH = "/api/v1/jobs"
SMALL_BODY_BYTES = 1024 * 1024  # what any address may take; as Flask's MAX_CONTENT_LENGTH


@dataclass(frozen=True, kw_only=True)
class RequestHead:
    """A request as far as its headers tell."""

    method: str
    path: str
    target: str  # as sent: a path, or a whole URI whose host then counts instead of Host
    headers: Headers
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
        """Raises HostNotAllowed, CrossSiteRequest, KeyRequired, InvalidRequest, FileTooLarge,
        QueueFull, DiskFull or ShuttingDown.
        """
        check_host(head.headers.get("Host", ""), self._hosts)
        if not head.target.startswith("/"):
            check_host(urlsplit(head.target).netloc, self._hosts)
        if head.body_bytes is not None and head.body_bytes <= SMALL_BODY_BYTES:
            return
        self._check_caller(head)
        if (head.method, head.path.rstrip("/")) != ("POST", UPLOAD_PATH):
            raise InvalidRequest("This address takes no body of that size.")
        if (head.body_bytes or 0) > self.max_body_bytes:
            raise FileTooLarge
        self._services.manager.check_accepts(size_bytes=head.body_bytes or 0)

    def _check_caller(self, head: RequestHead) -> None:
        api_key = self._services.settings.api_key
        if api_key and carries_key(head.headers, api_key):
            return
        check_same_origin(head.method, head.headers, host=head.headers.get("Host", ""))
        if api_key and not self._has_session(head.headers):
            raise KeyRequired

    def _has_session(self, headers: Headers) -> bool:
        request = self._app.request_class({"HTTP_COOKIE": headers.get("Cookie", "")})
        session = self._app.session_interface.open_session(self._app, request)
        return session is not None and bool(session.get(SIGNED_IN))
