"""waitress's parser, error task and channel, changed where the reasons below say.

- A request is refused at its headers: waitress asks nobody before it spools.
- A refusal is problem+json with the security headers, like any other error.
- A full disk while spooling is an answer, not a reset connection.
- After a refusal the rest of the body is read and thrown away for a while: to
  close a socket with unread data resets it, and the client would not see why.
"""

from __future__ import annotations

import errno
import logging
import socket
import time
from contextlib import suppress
from typing import Any

from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped]
from waitress.task import ErrorTask  # type: ignore[import-untyped]
from werkzeug.datastructures import Headers

from voice_transcriber.errors import DiskFull, InternalError, TranscriberError
from voice_transcriber.web.admission import Admission, RequestHead
from voice_transcriber.web.errors import PROBLEM_TYPE, Problem, problem_for_status
from voice_transcriber.web.headers import SECURITY_HEADERS

LINGER_S = 30.0

_log = logging.getLogger(__name__)


class Refusal:
    """Stands in a request's `error`, where waitress puts its own."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class GuardedParser(HTTPRequestParser):  # type: ignore[misc]
    """Asks the admission when the headers are there."""

    def __init__(self, adj: Any, admission: Admission) -> None:
        super().__init__(adj)
        self._admission = admission

    def received(self, data: bytes) -> int:
        try:
            return int(super().received(data))
        except OSError as error:  # the spooled body did not fit
            _log.warning("An upload could not be spooled: %s", error)
            full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            self._refuse(DiskFull() if full else InternalError())
            self.completed = True
            return len(data)

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        try:
            self._admission.check(self._head())
        except TranscriberError as error:
            self._refuse(error)

    def _head(self) -> RequestHead:
        pairs = [(name.replace("_", "-"), value) for name, value in self.headers.items()]
        return RequestHead(
            method=self.command,
            path=self.path,
            target=self.request_uri,
            headers=Headers(pairs),
            body_bytes=None if self.chunked else self.content_length,
        )

    def _refuse(self, error: TranscriberError) -> None:
        with suppress(OSError):  # closing writes what the full disk did not take
            self.close()
        self.error = Refusal(Problem.of(error))
        # no body is awaited any more, and no "100 Continue" invites it
        self.body_rcv = None
        self.content_length = 0
        self.expect_continue = False


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


class GuardedChannel(HTTPChannel):  # type: ignore[misc]
    """One connection; `server.admission` is set by web.server."""

    error_task_class = ProblemTask
    refused = False
    _linger_until: float | None = None  # monotonic; set while the rest is thrown away

    def parser_class(self, adj: Any) -> GuardedParser:
        return GuardedParser(adj, self.server.admission)

    def readable(self) -> bool:
        return self._linger_until is not None or bool(super().readable())

    def handle_read(self) -> None:
        if self._linger_until is None:
            super().handle_read()
        elif time.monotonic() > self._linger_until or not self._discard():
            super().handle_close()

    def handle_close(self) -> None:
        """The answer is out, or the client is gone."""
        if not self.refused or not self.connected or self._linger_until is not None:
            super().handle_close()
            return
        self._linger_until = time.monotonic() + LINGER_S
        self.will_close = False
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:  # the client was quicker
            super().handle_close()

    def _discard(self) -> bool:
        """False at the end of what the client sends."""
        try:
            return bool(self.socket.recv(self.adj.recv_bytes))
        except BlockingIOError:
            return True
        except OSError:
            return False
