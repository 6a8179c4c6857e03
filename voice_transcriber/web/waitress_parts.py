"""waitress's parser and tasks, changed where the reasons below say; web.connection has its channel.

- A request is refused at its headers: waitress asks nobody before it spools.
- A refusal is problem+json with the security headers, like any other error.
- A target that is no address is a bad request, not a closed connection.
- A full disk while spooling is an answer, not a reset connection.
- Requests that were sent before an answer was read are not begun: waitress would hold a thread
  until the reader has taken what came before.
- An answer without a body (204, 304) leaves the connection open: waitress closes it, and who asks
  again and again for what has changed would connect anew each time.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from waitress.parser import HTTPRequestParser, ParsingError  # type: ignore[import-untyped]
from waitress.task import ErrorTask, WSGITask  # type: ignore[import-untyped]
from werkzeug.datastructures import Headers

from voice_transcriber.errors import DiskFull, InternalError, TranscriberError
from voice_transcriber.files import FULL_ERRNOS
from voice_transcriber.web.admission import Admission, RequestHead
from voice_transcriber.web.errors import PROBLEM_TYPE, Problem, problem_for_status
from voice_transcriber.web.headers import SECURITY_HEADERS
from voice_transcriber.web.rescue import Rescue, Torn

_log = logging.getLogger(__name__)


class Refusal:
    """Stands in a request's `error`, where waitress puts its own."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class GuardedParser(HTTPRequestParser):  # type: ignore[misc]
    """Asks the admission when the headers are there."""

    body_rcv: Any

    def __init__(self, adj: Any, admission: Admission, *, address: str) -> None:
        super().__init__(adj)
        self._admission = admission
        self._address = address
        self._torn: Torn | None = None

    def received(self, data: bytes) -> int:
        try:
            return int(super().received(data))
        except OSError as error:  # the spooled body did not fit
            _log.warning("An upload could not be spooled: %s", error)
            self.refuse(DiskFull() if error.errno in FULL_ERRNOS else InternalError())
            self.completed = True
            return len(data)

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # of urlsplit, which waitress does not expect
            raise ParsingError("Bad request target") from error
        head = self._head()
        try:
            self._admission.check(head)
        except TranscriberError as error:
            self.refuse(error)
        else:
            self._torn = Torn.of(head)

    def take_rescue(self) -> Rescue | None:
        """What is to be done with the beginning of a request whose rest will not come."""
        body = self.body_rcv
        if body is None or self.completed or self._torn is None or not len(body):
            return None
        self.body_rcv = None
        return self._admission.rescue(self._torn, body.getbuf())

    def _head(self) -> RequestHead:
        pairs = [(name.replace("_", "-"), value) for name, value in self.headers.items()]
        return RequestHead(
            method=self.command,
            path=self.path,
            target=self.request_uri,
            headers=Headers(pairs),
            address=self._address,
            body_bytes=None if self.chunked else self.content_length,
        )

    def refuse(self, error: TranscriberError) -> None:
        """Answer with this, whatever else comes."""
        with suppress(OSError):  # closing writes what the full disk did not take
            self.close()
        self.error = Refusal(Problem.of(error))
        # no body is awaited any more, and no "100 Continue" invites it
        self.body_rcv = None
        self.content_length = 0
        self.expect_continue = False


class LonelyTask(WSGITask):  # type: ignore[misc]
    """The connection ends after its answer when more requests wait behind it, else it stays."""

    _stays_open = False

    def build_response_header(self) -> bytes:
        if len(self.channel.requests) > 1:
            self.set_close_on_finish()
        self._stays_open = self._ends_by_itself()
        header = bytes(super().build_response_header())
        self._stays_open = False
        return header

    def set_close_on_finish(self) -> None:
        if not self._stays_open:
            super().set_close_on_finish()

    def _ends_by_itself(self) -> bool:
        """Whether the client sees the answer's end without the connection's (RFC 9112, 6.3)."""
        asked_to_close = self.request.headers.get("CONNECTION", "").lower() == "close"
        return not (
            self.has_body or self.close_on_finish or asked_to_close or self.version != "1.1"
        )


class ProblemTask(ErrorTask):  # type: ignore[misc]
    """Answers what waitress refused, or what the parser above did."""

    def execute(self) -> None:
        error = self.request.error
        known = isinstance(error, Refusal)
        problem = error.problem if known else problem_for_status(error.code, error.body)
        body = problem.body
        self.status = f"{problem.status.value} {problem.status.phrase}"
        self.response_headers.append(("Content-Type", PROBLEM_TYPE))
        self.response_headers.extend((*problem.headers.items(), *SECURITY_HEADERS))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.channel.refused = True
        self.write(body)
