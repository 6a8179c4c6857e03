"""The speech engine on another machine, as the jobs know an engine.

One thread runs an event loop in which each request is a task: so four requests are under way at
once, a pause between two tries holds no thread, and a cancelled request closes its connection.
Callbacks are called in that thread, so they only pass answers on.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from collections.abc import Collection
from concurrent.futures import Future
from dataclasses import dataclass, replace

from voice_transcriber.engines.client import Answer, HostCrash, OnAnswer, reply_of
from voice_transcriber.engines.gpu_policy import GpuStatus
from voice_transcriber.engines.host_watch import Blame
from voice_transcriber.engines.protocol import (
    LanguageRequest,
    LoadReply,
    LoadRequest,
    ModelKey,
    Place,
    PlanRequest,
    Reply,
    Request,
    WindowRequest,
)
from voice_transcriber.engines.remote.audio import SAMPLE_BYTES
from voice_transcriber.engines.remote.options import RemoteOptions
from voice_transcriber.engines.remote.server import RemoteServer
from voice_transcriber.engines.remote.takeover import LocalTakeover
from voice_transcriber.engines.remote.transcription import RemoteTranscription
from voice_transcriber.errors import (
    EngineCrashed,
    InternalError,
    RemoteUnreachable,
    TranscriberError,
)

log = logging.getLogger(__name__)

STOP_S = 5.0


@dataclass(frozen=True, kw_only=True)
class RemoteFigures:
    """Of the server and of the way to it, since the start."""

    server: str
    connections: int
    idle_connections: int
    requests: int
    retries: int
    errors: int  # requests that were given up
    sent_bytes: int  # of audio
    taken_over: int  # chunks that the local engine did


@dataclass(frozen=True)
class _Open:
    on_answer: OnAnswer
    task: Future[None]


class RemoteEngine:
    """Methods may be called from any thread."""

    is_running = True
    is_ready = True

    def __init__(self, options: RemoteOptions, *, takeover: LocalTakeover | None = None) -> None:
        """`takeover`: None when the local engine must not be used. The loop starts with the
        first request.
        """
        self._options = options
        self._takeover = takeover
        self._server = RemoteServer(options)
        self._work = RemoteTranscription(self._server, options)
        self._lock = threading.RLock()
        self._ids = itertools.count(1)
        self._open: dict[int, _Open] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False
        if not options.is_protected:
            log.warning("REMOTE_URL begins with http: the sound and the key travel unprotected.")

    @property
    def pid(self) -> int | None:
        return self._takeover.engine.pid if self._takeover else None

    @property
    def starts(self) -> int:
        return self._takeover.engine.starts if self._takeover else 0

    @property
    def models(self) -> list[ModelKey]:
        return self._takeover.engine.models if self._takeover else []

    @property
    def loading(self) -> str | None:
        return self._takeover.engine.loading if self._takeover else None

    @property
    def gpu_free_bytes(self) -> int | None:
        return self._takeover.engine.gpu_free_bytes if self._takeover else None

    @property
    def batch_size(self) -> int:
        return self._takeover.engine.batch_size if self._takeover else 0

    @property
    def gpu(self) -> GpuStatus | None:
        return self._takeover.engine.gpu if self._takeover else None

    @property
    def problem(self) -> str | None:
        return self._takeover.engine.problem if self._takeover else None

    @property
    def warning(self) -> str | None:
        return self._takeover.engine.warning if self._takeover else None

    @property
    def server(self) -> str:
        """Host and port, as people are told."""
        return self._options.server

    @property
    def max_sound_bytes(self) -> int:
        """Of samples in one request, as the settings say."""
        return SAMPLE_BYTES * self._options.max_samples

    @property
    def figures(self) -> RemoteFigures:
        connections, idle = self._server.connections
        traffic = self._server.traffic
        return RemoteFigures(
            server=self._options.server,
            connections=connections,
            idle_connections=idle,
            requests=traffic.requests,
            retries=traffic.retries,
            errors=traffic.errors,
            sent_bytes=traffic.sent_bytes,
            taken_over=self._takeover.chunks if self._takeover else 0,
        )

    def _place(self, model: str) -> Place | None:
        theirs = self._options.model(model)
        if theirs is None:
            return None
        return Place(
            device="remote",
            compute_type=theirs,
            note=f"The sound was sent to {self._options.server}, which wrote the text.",
        )

    def submit(self, request: Request, on_answer: OnAnswer) -> int:
        with self._lock:
            if self._stopped:
                raise EngineCrashed("The speech engine was stopped.")
            loop = self._started_loop()
            number = next(self._ids)
            task = asyncio.run_coroutine_threadsafe(self._serve(number, request), loop)
            self._open[number] = _Open(on_answer, task)
            return number

    def call(self, request: Request) -> Reply:
        future: Future[Answer] = Future()
        self.submit(request, lambda _number, answer: future.set_result(answer))
        return reply_of(future.result())

    def cancel(self, request_ids: Collection[int]) -> None:
        with self._lock:
            found = [self._open.pop(number, None) for number in request_ids]
        for one in found:
            if one is not None:
                one.task.cancel()

    def unload_idle(self, *, idle_s: float) -> None:
        if self._takeover:
            self._takeover.engine.unload_idle(idle_s=idle_s)

    def abandon(self, request_ids: Collection[int]) -> None:
        """A request of its own, whose connection is closed, is all that works on it."""
        self.cancel(request_ids)

    def supervise(self) -> None:
        """The server has time limits of its own; the local engine is watched."""
        if self._takeover:
            self._takeover.engine.supervise()

    def stop(self) -> None:
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            open_now, self._open = self._open, {}
        for number, one in open_now.items():
            one.task.cancel()
            one.on_answer(number, HostCrash(cause="it was stopped", blame=Blame.HOST))
        if self._loop is not None and self._thread is not None:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop)
            self._thread.join(STOP_S)
        if self._takeover:
            self._takeover.stop()

    def _started_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=_run, args=(self._loop,), name="remote-engine", daemon=True
            )
            self._thread.start()
        return self._loop

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._server.close()
        asyncio.get_running_loop().stop()

    async def _serve(self, number: int, request: Request) -> None:
        try:
            answer: Answer = await self._handle(request)
        except TranscriberError as error:
            answer = error
        except Exception as error:  # a fault of ours ends the request, not the loop
            log.exception("The remote engine met an unexpected error.")
            answer = InternalError(f"The program made a mistake: {error}")
        with self._lock:
            one = self._open.pop(number, None)
        if one is not None:  # else it was cancelled
            one.on_answer(number, answer)

    async def _handle(self, request: Request) -> Reply:
        if isinstance(request, LoadRequest):
            return LoadReply()
        if self._takeover is None:
            return await self._remote(request)
        if self._takeover.has(request.pcm):
            return await self._takeover.answer(request)
        try:
            return await self._remote(request)
        except RemoteUnreachable as fault:
            self._takeover.take(request.pcm, fault)
            return await self._takeover.answer(request)

    async def _remote(self, request: PlanRequest | LanguageRequest | WindowRequest) -> Reply:
        match request:
            case PlanRequest():
                return await self._work.plan(request)
            case LanguageRequest():
                return await self._work.language(request)
            case WindowRequest():
                reply = await self._work.window(request)
                return replace(reply, place=self._place(request.model))


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    loop.close()
