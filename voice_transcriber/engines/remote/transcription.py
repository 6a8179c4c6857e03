"""Windows and questions of language, turned into requests of a size that the server takes."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from pathlib import Path

from voice_transcriber.engines.protocol import (
    LanguageReply,
    LanguageRequest,
    PlanReply,
    PlanRequest,
    WindowReply,
    WindowRequest,
)
from voice_transcriber.engines.remote.audio import even_pieces, sounding_part
from voice_transcriber.engines.remote.faults import TimesMissing, TooSlow
from voice_transcriber.engines.remote.gate import Gate
from voice_transcriber.engines.remote.options import RemoteOptions
from voice_transcriber.engines.remote.planning import plan_chunk
from voice_transcriber.engines.remote.server import LEAST_IN_TIME, Ask, RemoteServer
from voice_transcriber.errors import RemoteTooLarge, UnknownModel
from voice_transcriber.job import MAX_WINDOW, SAMPLE_RATE, Priority
from voice_transcriber.transcript.model import Segment

log = logging.getLogger(__name__)

LEAST_LIMIT = 10 * SAMPLE_RATE  # what is refused for its size below this is not halved
LEAST_SENT = SAMPLE_RATE // 10  # servers refuse less

Votes = dict[str, float]


class RemoteTranscription:
    """Used inside one event loop."""

    def __init__(self, server: RemoteServer, options: RemoteOptions) -> None:
        self._server = server
        self._options = options
        self._gate = Gate(options.parallel)
        self._max_samples = options.max_samples  # smaller once the server has refused a size
        self._languages_named: dict[str, bool] = {}  # by the server's model, once it is known

    async def plan(self, request: PlanRequest) -> PlanReply:
        window = self._max_samples
        if not all(self._server.gives_times(model) for model in self._options.models.values()):
            window = min(window, MAX_WINDOW)
        return await asyncio.to_thread(
            plan_chunk, request, max_chunk=self._max_samples, max_window=window
        )

    async def language(self, request: LanguageRequest) -> LanguageReply:
        """One vote for each window, empty where the server names no language.

        It hears the first sounding 30 s of each. Raises as RemoteServer.ask does.
        """
        started = time.monotonic()
        votes = [await self._vote(request, start, end) for start, end in request.windows]
        stages_s = {"language": time.monotonic() - started}
        return LanguageReply(votes=votes, measured=False, stages_s=stages_s)

    async def window(self, request: WindowRequest) -> WindowReply:
        """The text of a stretch of any length. Raises as RemoteServer.ask does."""
        ask = Ask(
            pcm=request.pcm,
            start=request.start,
            end=request.end,
            model=self._model(request.model),
            task=request.task,
            language=request.language,
            prompt=_prompt(request),
            words=request.word_timestamps,
        )
        async with self._gate.seat(priority=request.priority, file=request.pcm):
            started = time.monotonic()
            segments = await self._segments(ask)
            stages_s = {"remote": time.monotonic() - started}
        return WindowReply(segments=tuple(segments), resume_sample=None, stages_s=stages_s)

    async def _segments(self, ask: Ask) -> list[Segment]:
        if ask.length < LEAST_SENT:
            return []
        if ask.length > self._max_samples:
            return await self._in_pieces(ask, self._max_samples)
        try:
            answer = await self._server.ask(ask)
        except TimesMissing:
            return await self._in_pieces(ask, MAX_WINDOW)
        except RemoteTooLarge:
            if ask.length <= LEAST_LIMIT:
                raise
            self._lower_limit(ask.length, least=LEAST_LIMIT, reason="refuses for its size")
            return await self._in_pieces(ask, self._max_samples)
        except TooSlow as slow:
            self._lower_limit(ask.length, least=LEAST_IN_TIME, reason="was too slow for")
            return await self._in_pieces(replace(ask, failures=slow.failures), self._max_samples)
        return list(answer.segments)

    async def _in_pieces(self, ask: Ask, limit: int) -> list[Segment]:
        pieces = await asyncio.to_thread(
            lambda: list(even_pieces(Path(ask.pcm), ask.start, ask.end, limit=limit))
        )
        segments = []
        failures = ask.failures
        for start, end in pieces:
            segments += await self._segments(replace(ask, start=start, end=end, failures=failures))
            failures = 0  # the server answers
        return segments

    def _lower_limit(self, refused: int, *, least: int, reason: str) -> None:
        lower = max(refused // 2, least)
        if lower < self._max_samples:
            self._max_samples = lower
            log.warning(
                "%s %s %.0f s of audio: from now on it gets %.0f s at most.",
                self._options.server,
                reason,
                refused / SAMPLE_RATE,
                lower / SAMPLE_RATE,
            )

    async def _vote(self, request: LanguageRequest, start: int, end: int) -> Votes:
        model = self._model(request.model)
        if not self._languages_named.get(model, True):
            return {}
        part = await asyncio.to_thread(sounding_part, Path(request.pcm), start, end)
        first = part[0] if part else start
        ask = Ask(pcm=request.pcm, start=first, end=min(end, first + MAX_WINDOW), model=model)
        async with self._gate.seat(priority=Priority.HIGH, file=request.pcm):
            answer = await self._server.ask(ask)
        self._languages_named[model] = answer.language is not None
        return {answer.language: 1.0} if answer.language else {}

    def _model(self, name: str) -> str:
        theirs = self._options.model(name)
        if theirs is None:
            raise UnknownModel(f"REMOTE_MODEL names no model for {name!r}.")
        return theirs


def _prompt(request: WindowRequest) -> str | None:
    """Hotwords, then the prompt, as one text: the dialect has one field for both."""
    words = [word.strip() for word in (request.hotwords or "").split(",") if word.strip()]
    parts = [f"{', '.join(words)}." if words else "", (request.prompt or "").strip()]
    return " ".join(part for part in parts if part) or None
