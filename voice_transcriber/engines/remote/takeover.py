"""The local engine in the place of a server that is not there: for the rest of that recording."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from voice_transcriber.engines.checkpoints import Checkpoints
from voice_transcriber.engines.client import Answer, HostCrash
from voice_transcriber.engines.protocol import (
    LanguageRequest,
    Place,
    PlanReply,
    PlanRequest,
    Reply,
    Request,
    WindowReply,
    WindowRequest,
)
from voice_transcriber.engines.speech import SpeechEngine
from voice_transcriber.errors import RemoteUnreachable, TranscriberError
from voice_transcriber.job import MAX_WINDOW

log = logging.getLogger(__name__)

AudioRequest = PlanRequest | LanguageRequest | WindowRequest

FORGOTTEN_AFTER_S = 600.0  # since its last request: its job is over, or waits to be retried


@dataclass
class _Taken:
    reason: str
    used_at: float


class LocalTakeover:
    """Used inside one event loop, but for `stop`."""

    def __init__(
        self,
        engine: SpeechEngine,
        checkpoints: Checkpoints,
        *,
        level_audio: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """The engine is stopped with the remote one. `level_audio`: raise quiet recordings."""
        self.engine = engine
        self.chunks = 0  # that were taken over so far
        self._checkpoints = checkpoints
        self._level_audio = level_audio
        self._clock = clock
        self._taken: dict[str, _Taken] = {}  # by the recording's decoded audio
        self._stopping = threading.Event()

    def has(self, pcm: str) -> bool:
        """Whether the local engine goes on with this recording."""
        now = self._clock()
        for known, taken in list(self._taken.items()):
            if now - taken.used_at > FORGOTTEN_AFTER_S:
                del self._taken[known]
        if pcm in self._taken:
            self._taken[pcm].used_at = now
        return pcm in self._taken

    def take(self, pcm: str, fault: RemoteUnreachable) -> None:
        """From now on the recording is the local engine's."""
        if pcm not in self._taken:
            log.warning("The local engine takes a recording over: %s", fault.message)
            self._taken[pcm] = _Taken(fault.message, self._clock())

    async def answer(self, request: AudioRequest) -> Reply:
        """What the local engine says. Raises the reply's error, EngineCrashed, and what stands
        in the way of the model's file.
        """
        match request:
            case PlanRequest():
                self.chunks += 1
                return await self._ask(request)
            case LanguageRequest():
                return await self._language(request)
            case WindowRequest():
                request = replace(request, checkpoint=await self._checkpoint(request.model))
                if request.speech_end < request.end:
                    reply = await self._ask_window(request)
                else:
                    self.chunks += 1
                    reply = await self._planned_anew(request)
                return replace(reply, place=self._place(request))

    def stop(self) -> None:
        self._stopping.set()
        self.engine.stop()

    async def _language(self, request: LanguageRequest) -> Reply:
        """A model hears no more than a window at once."""
        windows = [(start, min(end, start + MAX_WINDOW)) for start, end in request.windows]
        checkpoint = await self._checkpoint(request.model)
        return await self._ask(replace(request, windows=windows, checkpoint=checkpoint))

    async def _planned_anew(self, request: WindowRequest) -> WindowReply:
        """What was planned for the server goes to the end of what it takes, whether there is
        speech or not. So voice detection looks at it, and it is cut into windows.
        """
        plan = await self._ask(
            PlanRequest(
                pcm=request.pcm,
                start=request.start,
                limit=request.end,
                is_last=True,
                vad_filter=request.vad_filter,
                level=self._level_audio,
            )
        )
        assert isinstance(plan, PlanReply)
        tasks = [
            asyncio.ensure_future(
                self._to_the_end(
                    replace(request, gain=plan.gain, start=start, end=end, speech_end=speech_end)
                )
            )
            for start, end, speech_end in plan.windows
        ]
        try:
            found = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        empty = WindowReply(segments=(), resume_sample=None, stages_s=plan.stages_s)
        return _joined([empty, *found])

    async def _to_the_end(self, request: WindowRequest) -> WindowReply:
        """What a window leaves out at its end is decoded as a window of its own."""
        replies = [await self._ask_window(request)]
        while (start := replies[-1].resume_sample) is not None:
            replies.append(await self._ask_window(replace(request, start=start)))
        return _joined(replies)

    async def _ask_window(self, request: WindowRequest) -> WindowReply:
        reply = await self._ask(request)
        assert isinstance(reply, WindowReply)
        return reply

    async def _ask(self, request: Request) -> Reply:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()

        def settle(answer: Answer) -> None:
            if not future.done():
                future.set_result(answer)

        def pass_on(_number: int, answer: Answer) -> None:
            with suppress(RuntimeError):  # the loop is over, and nobody waits
                loop.call_soon_threadsafe(settle, answer)

        number = self.engine.submit(request, pass_on)
        try:
            answer = await future
        except asyncio.CancelledError:
            self.engine.cancel([number])
            raise
        if isinstance(answer, HostCrash):
            raise answer.as_error()
        if isinstance(answer, TranscriberError):
            raise answer
        return answer

    async def _checkpoint(self, model: str) -> str:
        """The model's file, downloaded first where it is missing."""
        gone = threading.Event()
        try:
            path = await asyncio.to_thread(
                self._checkpoints.ensure,
                model,
                on_progress=lambda done, total: None,
                should_stop=lambda: gone.is_set() or self._stopping.is_set(),
            )
        finally:
            gone.set()
        return str(path)

    def _place(self, request: WindowRequest) -> Place | None:
        place = self.engine.place(request.model)
        taken = self._taken.get(request.pcm)
        if place is None or taken is None:
            return place
        note = f"{taken.reason} The local engine took over."
        return replace(place, note=f"{note} {place.note}" if place.note else note)


def _joined(replies: Sequence[WindowReply]) -> WindowReply:
    whole = WindowReply(
        segments=tuple(segment for reply in replies for segment in reply.segments),
        resume_sample=None,
    )
    for reply in replies:
        whole = whole.with_stages(reply.stages_s)
    return whole
