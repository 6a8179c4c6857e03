"""The local engine in the place of a server that is not there: for the rest of that recording."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from voice_transcriber.engines.checkpoints import Checkpoints
from voice_transcriber.engines.client import Answer, HostCrash
from voice_transcriber.engines.host_watch import Blame
from voice_transcriber.engines.protocol import (
    LanguageRequest,
    Place,
    PlanReply,
    PlanRequest,
    Reply,
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
    used_at: float  # when a request came last, or was answered
    open: int = 0  # requests
    planned: list[tuple[int, int]] = field(default_factory=list)  # by the local engine; samples


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
            if not taken.open and now - taken.used_at > FORGOTTEN_AFTER_S:
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
        """What the local engine says of a recording that it took. Raises the reply's error,
        EngineCrashed, and what stands in the way of the model's file.
        """
        taken = self._taken[request.pcm]
        taken.open += 1
        try:
            return await self._answer(request, taken)
        finally:
            taken.open -= 1
            taken.used_at = self._clock()

    def stop(self) -> None:
        self._stopping.set()
        self.engine.stop()

    async def _answer(self, request: AudioRequest, taken: _Taken) -> Reply:
        match request:
            case PlanRequest():
                self.chunks += 1
                plan = await self._plan(request)
                taken.planned.append((request.start, plan.end))
                return plan
            case LanguageRequest():
                return await self._language(request)
            case WindowRequest():
                request = replace(request, checkpoint=await self._checkpoint(request.model))
                if _is_of_a_local_plan(request, taken):
                    reply = await self._ask_window(request)
                else:
                    self.chunks += 1
                    reply = await self._planned_anew(request)
                return replace(reply, place=_noted(reply.place, taken.reason))

    async def _language(self, request: LanguageRequest) -> Reply:
        """A model hears no more than a window at once."""
        windows = [(start, min(end, start + MAX_WINDOW)) for start, end in request.windows]
        checkpoint = await self._checkpoint(request.model)
        return await self._ask(replace(request, windows=windows, checkpoint=checkpoint))

    async def _planned_anew(self, request: WindowRequest) -> WindowReply:
        """What was planned for the server goes to the end of what it takes, whether there is
        speech or not. So voice detection looks at it, and it is cut into windows.
        """
        plan = await self._plan(
            PlanRequest(
                pcm=request.pcm,
                start=request.start,
                limit=request.end,
                is_last=True,
                vad_filter=request.vad_filter,
                level=self._level_audio,
            )
        )
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

    async def _plan(self, request: PlanRequest) -> PlanReply:
        reply = await self._ask(request)
        assert isinstance(reply, PlanReply)
        return reply

    async def _ask_window(self, request: WindowRequest) -> WindowReply:
        reply = await self._ask(request)
        assert isinstance(reply, WindowReply)
        return reply

    async def _ask(self, request: AudioRequest) -> Reply:
        """Ask again when the engine dies at something else, and alone when it may be at this."""
        while True:
            answer = await self._next_answer(request)
            if isinstance(answer, TranscriberError):
                raise answer
            if not isinstance(answer, HostCrash):
                return answer
            if answer.blame in {Blame.ALONE, Blame.HOST}:
                raise answer.as_error()
            request = replace(request, alone=request.alone or answer.blame is Blame.BATCH)

    async def _next_answer(self, request: AudioRequest) -> Answer:
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
            return await future
        except asyncio.CancelledError:
            self.engine.cancel([number])
            raise

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


def _noted(place: Place | None, reason: str) -> Place | None:
    """None where there was no speech, and nothing was computed."""
    if place is None:
        return None
    note = f"{reason} The local engine took over."
    return replace(place, note=f"{note} {place.note}" if place.note else note)


def _is_of_a_local_plan(request: WindowRequest, taken: _Taken) -> bool:
    """One for a server takes every window for speech up to its end; of the local ones some are."""
    if request.speech_end < request.end:
        return True
    return any(start <= request.start and request.end <= end for start, end in taken.planned)


def _joined(replies: Sequence[WindowReply]) -> WindowReply:
    whole = WindowReply(
        segments=tuple(segment for reply in replies for segment in reply.segments),
        resume_sample=None,
        place=replies[-1].place,
    )
    for reply in replies:
        whole = whole.with_stages(reply.stages_s)
    return whole
