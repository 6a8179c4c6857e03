"""One connection: waitress's channel, with an end to its patience.

- Who sends too slowly is given up: waitress waits as long as a byte comes now and then.
- One address has so many connections and no more.
- A thread that waits for a reader who takes nothing is let go.
- After a refusal the rest of the body is read and thrown away for a while: to
  close a socket with unread data resets it, and the client would not see why.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Any

from waitress.channel import HTTPChannel  # type: ignore[import-untyped]

from voice_transcriber.errors import TooSlow
from voice_transcriber.web.peers import is_on_this_machine, peer_of
from voice_transcriber.web.waitress_parts import GuardedParser, LonelyTask, ProblemTask

LINGER_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How slow a client may be."""

    headers_s: float = 30.0  # from a request's first byte, or the connection, to its headers' end
    body_grace_s: float = 30.0  # without a look at the rate
    body_bytes_per_s: float = 1_000.0  # on an average, after the grace
    reader_s: float = 60.0  # for which a thread waits for a reader who takes nothing


class GuardedChannel(HTTPChannel):  # type: ignore[misc]
    """One connection; web.server sets `admission`, `patience` and `most_of_one_peer` of its
    listener, `server`.
    """

    task_class = LonelyTask
    error_task_class = ProblemTask
    refused = False
    request: GuardedParser | None  # that is being received
    _parser: GuardedParser | None = None  # the newest, whether its request has ended or not
    _linger_until: float | None = None  # monotonic; set while the rest is thrown away
    _begun_at: float | None = None  # monotonic; of the request that is being received
    _body_at: float | None = None  # monotonic; when the headers were there

    def __init__(self, server: Any, sock: Any, addr: Any, adj: Any, map: Any = None) -> None:
        super().__init__(server, sock, addr, adj, map=map)
        self.peer = peer_of(str(addr[0]))
        self._begun_at = time.monotonic()
        if self._is_one_too_many():
            super().handle_close()

    def _is_one_too_many(self) -> bool:
        most = self.server.most_of_one_peer
        if not most or is_on_this_machine(self.peer):
            return False
        of_peer = (one for one in self.server.active_channels.values() if one.peer == self.peer)
        return bool(sum(1 for _ in of_peer) > most)

    def received(self, data: bytes) -> bool:
        before = self._parser
        taken = bool(super().received(data))
        if self._parser is not None:
            self._note_progress(self._parser, before)
        return taken

    def _note_progress(self, parser: GuardedParser, before: GuardedParser | None) -> None:
        is_after_empty_line = before is not None and before.empty
        if parser is not before and not is_after_empty_line:  # many of these win no time
            self._begun_at, self._body_at = time.monotonic(), None
        if parser.completed and not parser.empty:
            self._begun_at = self._body_at = None
        elif parser.headers_finished and not parser.completed and self._body_at is None:
            self._body_at = time.monotonic()

    def keep_deadlines(self, now: float) -> None:
        """Give up a client that is too slow; `now` is monotonic. On the I/O thread."""
        if self._body_at is not None:
            self._keep_body_rate(now - self._body_at)
        elif self._begun_at is not None:
            if now - self._begun_at > self.server.patience.headers_s:
                super().handle_close()
        elif self._holds_thread_for_reader():
            super().handle_close()

    def _holds_thread_for_reader(self) -> bool:
        if not self.requests or self.total_outbufs_len <= self.adj.outbuf_high_watermark:
            return False
        return bool(time.time() - self.last_activity > self.server.patience.reader_s)

    def _keep_body_rate(self, waited_s: float) -> None:
        patience: Patience = self.server.patience
        due_bytes = (waited_s - patience.body_grace_s) * patience.body_bytes_per_s
        slow = self.request
        if slow is None or slow.body_bytes_received >= due_bytes:
            return
        with self.requests_lock:
            self._keep_beginning()
            self.request = self._begun_at = self._body_at = None
            slow.refuse(TooSlow())
            slow.completed = True
            self.requests.append(slow)
            if len(self.requests) == 1:
                self.server.add_task(self)

    def parser_class(self, adj: Any) -> GuardedParser:
        self._parser = GuardedParser(adj, self.server.admission, address=str(self.addr[0]))
        return self._parser

    def readable(self) -> bool:
        return self._linger_until is not None or bool(super().readable())

    def handle_read(self) -> None:
        if self._linger_until is None:
            super().handle_read()
        elif time.monotonic() > self._linger_until or not self._discard():
            super().handle_close()

    def handle_close(self) -> None:
        """The answer is out, or the client is gone."""
        self._keep_beginning()
        if not self.refused or not self.connected or self._linger_until is not None:
            super().handle_close()
            return
        self._linger_until = time.monotonic() + LINGER_S
        self.will_close = False
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:  # the client was quicker
            super().handle_close()

    def _keep_beginning(self) -> None:
        """Of a part of an upload that was cut off."""
        if self.request is not None and (rescue := self.request.take_rescue()):
            self.server.add_task(rescue)

    def _discard(self) -> bool:
        """False at the end of what the client sends."""
        try:
            return bool(self.socket.recv(self.adj.recv_bytes))
        except BlockingIOError:
            return True
        except OSError:
            return False
