"""One job's talk with the engine: requests out, answers back into the job's own thread."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar, cast

from voice_transcriber.engines.client import Answer, HostCrash
from voice_transcriber.engines.host_watch import Blame
from voice_transcriber.engines.protocol import LanguageRequest, PlanRequest, Reply, Request
from voice_transcriber.engines.speech import SpeechEngine
from voice_transcriber.errors import EngineError, InternalError, TranscriberError

R = TypeVar("R", bound=Reply)
OnCrash = Callable[[HostCrash], None]
OnError = Callable[[EngineError | InternalError], None]


@dataclass(frozen=True)
class _Asked:
    request: Request
    on_reply: Callable[[Reply], None]
    on_crash: OnCrash | None
    on_error: OnError | None
    host_died: bool = False  # at its start, or while it loaded a model


class Conversation:
    """Used by the thread that runs the job; the engine's reader only fills the inbox."""

    def __init__(self, engine: SpeechEngine) -> None:
        self._engine = engine
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._open: set[int] = set()
        self.waited_s = 0.0  # for an answer, while requests were open

    def __len__(self) -> int:
        """Requests that are not answered yet."""
        return len(self._open)

    def ask(
        self,
        request: Request,
        on_reply: Callable[[R], None],
        *,
        on_crash: OnCrash | None = None,
        on_error: OnError | None = None,
    ) -> None:
        """Send a request; `receive` calls `on_reply` with what its kind is answered with.

        When the engine dies at this request, `on_crash` is called, and when it fails at it
        `on_error`; without these, and for errors of other kinds, `receive` raises. A plan or a
        question for the language that was in work beside others is sent again, alone. What waited
        for an engine that died while it started is sent again once, to the next one.
        """
        self._send(_Asked(request, lambda reply: on_reply(cast(R, reply)), on_crash, on_error))

    def receive(self, *, timeout_s: float) -> None:
        """Wait for one answer, then take all that are there. Raises the errors among them."""
        try:
            self._wait(timeout_s)()
            while True:
                self._inbox.get_nowait()()
        except queue.Empty:
            return

    def end(self) -> None:
        """Withdraw what is still open."""
        self._engine.cancel(self._open)

    def abandon(self) -> None:
        """Withdraw what is still open, and replace an engine that works on it."""
        self._engine.abandon(self._open)

    def _send(self, asked: _Asked) -> None:
        def on_answer(request_id: int, answer: Answer) -> None:
            self._inbox.put(partial(self._take, request_id, answer, asked))

        self._open.add(self._engine.submit(asked.request, on_answer))

    def _wait(self, timeout_s: float) -> Callable[[], None]:
        started = time.monotonic()
        try:
            return self._inbox.get(timeout=timeout_s)
        finally:
            if self._open:
                self.waited_s += time.monotonic() - started

    def _take(self, request_id: int, answer: Answer, asked: _Asked) -> None:
        self._open.discard(request_id)
        if isinstance(answer, EngineError | InternalError) and asked.on_error is not None:
            asked.on_error(answer)
        elif isinstance(answer, TranscriberError):
            raise answer
        elif not isinstance(answer, HostCrash):
            asked.on_reply(answer)
        elif answer.blame is Blame.NONE:
            self._send(asked)
        elif answer.blame is Blame.HOST and not asked.host_died:
            self._send(replace(asked, host_died=True))
        elif answer.blame is Blame.BATCH and isinstance(
            asked.request, PlanRequest | LanguageRequest
        ):
            self._send(replace(asked, request=replace(asked.request, alone=True)))
        elif answer.blame is Blame.HOST or asked.on_crash is None:
            raise answer.as_error()
        else:
            asked.on_crash(answer)
