"""One job's talk with the engine: requests out, answers back into the job's own thread."""

from __future__ import annotations

import queue
from collections.abc import Callable
from functools import partial
from typing import TypeVar, cast

from voice_transcriber.engines.client import Answer, Blame, EngineClient, HostCrash
from voice_transcriber.engines.protocol import Reply, Request
from voice_transcriber.errors import TranscriberError

R = TypeVar("R", bound=Reply)
OnCrash = Callable[[HostCrash], None]


class Conversation:
    """Used by the thread that runs the job; the engine's reader only fills the inbox."""

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._open: set[int] = set()

    def __len__(self) -> int:
        """Requests that are not answered yet."""
        return len(self._open)

    def ask(
        self, request: Request, on_reply: Callable[[R], None], on_crash: OnCrash | None = None
    ) -> None:
        """Send a request; `receive` calls `on_reply` with what its kind is answered with.

        When the engine dies at this request, `on_crash` is called, or `receive` raises.
        """

        def on_answer(request_id: int, answer: Answer) -> None:
            self._inbox.put(partial(self._take, request_id, answer, request, on_reply, on_crash))

        self._open.add(self._engine.submit(request, on_answer))

    def receive(self, *, timeout_s: float) -> None:
        """Wait for one answer, then take all that are there. Raises the errors among them."""
        try:
            self._inbox.get(timeout=timeout_s)()
            while True:
                self._inbox.get_nowait()()
        except queue.Empty:
            return

    def end(self) -> None:
        """Withdraw what is still open."""
        self._engine.cancel(self._open)

    def _take(
        self,
        request_id: int,
        answer: Answer,
        request: Request,
        on_reply: Callable[[R], None],
        on_crash: OnCrash | None,
    ) -> None:
        self._open.discard(request_id)
        if isinstance(answer, TranscriberError):
            raise answer
        if not isinstance(answer, HostCrash):
            on_reply(cast(R, answer))
        elif answer.blame is Blame.NONE:
            self.ask(request, on_reply, on_crash)
        elif answer.blame is Blame.HOST or on_crash is None:
            raise answer.as_error()
        else:
            on_crash(answer)
