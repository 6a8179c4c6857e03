"""waitress, set up to stay up: early refusals, full disks, many connections, a clean end."""

from __future__ import annotations

import gc
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.server import (  # type: ignore[import-untyped]
    BaseWSGIServer,
    ThreadedTaskDispatcher,
    create_server,
)

from voice_transcriber.web.admission import Admission
from voice_transcriber.web.connection import GuardedChannel, Patience

if TYPE_CHECKING:
    from flask import Flask

    from voice_transcriber.services import Services

THREADS = 16
CONNECTION_LIMIT = 6_000
CONNECTION_LIMIT_WITHOUT_POLL = 300  # select(), on Windows, takes 512 sockets
WANTED_FILES = 20_000  # a player holds a socket and a file
POLL_S = 1.0
DRAIN_S = 5.0  # for answers that are under way when the server closes
ACCEPTED_AT_ONCE = 64
MANY_SOCKETS = 500
PAUSE_S = 2e-6  # for each socket, about what a look at it takes
SWITCH_S = 0.0005  # for which one thread computes while others wait; Python's own is 5 ms
NEW_OBJECTS = 10_000  # between two rounds of the garbage collector


class Server:
    """Listens from the start; serves while `run` runs."""

    def __init__(self, sockets: dict[int, Any], dispatcher: ThreadedTaskDispatcher) -> None:
        self._sockets = sockets
        self._listeners = [one for one in sockets.values() if isinstance(one, BaseWSGIServer)]
        self._dispatcher = dispatcher
        self._closing = False
        self._drain_s = DRAIN_S
        self._swept_at = time.monotonic()
        self._waking = threading.Lock()  # the pipe that wakes the loop goes when the loop ends

    @property
    def port(self) -> int:
        return int(self._listeners[0].effective_port)

    def run(self) -> None:
        """Serve until `close`; then finish the answers under way and let go of every socket."""
        try:
            while not self._closing:
                self._turn()
            self._drain()
        finally:
            self._dispatcher.shutdown(timeout=1)
            with self._waking:
                wasyncore.close_all(self._sockets)

    def close(self, *, drain_s: float = DRAIN_S) -> None:
        """Make `run` return; callable from any thread, again and again. Answers under way have
        `drain_s` seconds, at most DRAIN_S, and at least one.
        """
        self._drain_s = min(max(drain_s, 1.0), DRAIN_S)
        self._closing = True
        with self._waking:
            for listener in self._listeners:
                listener.pull_trigger()

    def _turn(self) -> None:
        wasyncore.loop(timeout=POLL_S, use_poll=True, map=self._sockets, count=1)
        for listener in self._listeners:
            _accept_waiting(listener)
        self._let_threads_work()
        now = time.monotonic()
        if now - self._swept_at >= POLL_S:
            self._swept_at = now
            for channel in self._channels():
                channel.keep_deadlines(now)

    def _let_threads_work(self) -> None:
        """Each turn looks at every connection, which takes 10 ms for thousands of them, and each
        answer wakes the loop for another turn: without a pause nobody else would compute.
        """
        if len(self._sockets) > MANY_SOCKETS:
            time.sleep(len(self._sockets) * PAUSE_S)

    def _drain(self) -> None:
        for listener in self._listeners:
            listener.accepting = False
        deadline = time.monotonic() + self._drain_s
        while self._busy() and time.monotonic() < deadline:
            self._turn()

    def _busy(self) -> bool:
        return any(channel.requests or channel.total_outbufs_len for channel in self._channels())

    def _channels(self) -> list[GuardedChannel]:
        return [
            channel for listener in self._listeners for channel in listener.active_channels.values()
        ]


def serve(
    app: Flask, services: Services, *, spool_dir: Path, patience: Patience | None = None
) -> Server:
    """A server that listens already; call its `run`.

    Bodies are spooled to `spool_dir`, which must be on the disk of the data
    folder: the system's own may be in memory. Raises OSError when the address
    cannot be listened on.
    """
    settings = services.settings
    spool_dir.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(spool_dir)
    admission = Admission(app, services)
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(THREADS)
    sockets: dict[int, Any] = {}
    create_server(
        app,
        map=sockets,
        _dispatcher=dispatcher,
        listen=_listen(settings.host, settings.port),
        threads=THREADS,
        connection_limit=_connection_limit(),
        backlog=2048,
        channel_request_lookahead=1,  # tells a client that left
        channel_timeout=60,
        cleanup_interval=10,
        recv_bytes=64 * 1024,
        max_request_header_size=32 * 1024,
        max_request_body_size=admission.max_body_bytes + 1,
        inbuf_overflow=1024 * 1024,
        outbuf_high_watermark=4 * 1024 * 1024,
        expose_tracebacks=False,
        ident=None,
        log_socket_errors=False,
    )
    server = Server(sockets, dispatcher)
    for listener in server._listeners:
        listener.channel_class = GuardedChannel
        listener.admission = admission
        listener.patience = patience or Patience()
        listener.most_of_one_peer = settings.max_connections_per_address
    return server


def _accept_waiting(listener: Any) -> None:
    """waitress accepts one connection in each turn of its loop, and a turn takes the longer the
    more there are.
    """
    for _ in range(ACCEPTED_AT_ONCE):
        before = len(listener.active_channels)
        if not listener.readable():  # as many as there may be
            return
        listener.handle_accept()
        if len(listener.active_channels) <= before:
            return


def take_turns_often() -> None:
    """For a process whose threads compute for a moment each and wait for sockets in between: after
    each of these waits a thread would stand behind another for 5 ms.
    """
    sys.setswitchinterval(SWITCH_S)


def collect_garbage_rarely() -> None:
    """For a process that only serves from now on: fewer rounds of Python's garbage collector.

    What is loaded will not become garbage and is left out. A long transcript is a hundred
    thousand objects: rounds after each 700 of them took a third of an export's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)


def _listen(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def _connection_limit() -> int:
    """Connections such that each may have two more files open, within the system's limit."""
    try:
        import resource
    except ImportError:  # Windows
        return CONNECTION_LIMIT_WITHOUT_POLL
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = WANTED_FILES
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, WANTED_FILES)), hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(50, min(CONNECTION_LIMIT, soft // 3))
