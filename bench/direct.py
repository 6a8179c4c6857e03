"""The engine called directly, without app, queue and store: what the app is held against.

Decode, then the plan of all chunks, then all windows at once; nothing goes on at the same time as
something else, so that each has its own seconds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psutil

from voice_transcriber.audio.decode import Decoder
from voice_transcriber.engines.protocol import (
    LoadRequest,
    PlanReply,
    PlanRequest,
    WindowReply,
    WindowRequest,
)
from voice_transcriber.job import SAMPLE_RATE
from voice_transcriber.jobs.conversation import Conversation
from voice_transcriber.processes.spawn import Spawner
from voice_transcriber.services import Services
from voice_transcriber.settings import Settings

_ANSWER_POLL_S = 1.0


@dataclass(frozen=True, kw_only=True)
class DirectReading:
    """Seconds of each stage, the engine's core seconds in plan and windows, and the text."""

    text: str
    decode_s: float
    plan_s: float
    windows_s: float
    windows: int
    cpu_s: float

    @property
    def wall_s(self) -> float:
        return self.decode_s + self.plan_s + self.windows_s


class DirectEngine:
    """The engine child as the settings make it, with one model that stays loaded."""

    def __init__(self, services: Services, model: str) -> None:
        self._settings = services.settings
        self._engine = services.engine
        self._model = model
        self._checkpoint = str(services.models.path(model))
        self._engine.call(LoadRequest(model=model, checkpoint=self._checkpoint))

    def read(self, media: Path, folder: Path, *, language: str) -> DirectReading:
        """`folder` takes the decoded audio."""
        started = time.monotonic()
        pcm, samples = _decoded(media, folder, max_duration_s=self._settings.max_duration_s)
        decoded, cpu_before_s = time.monotonic(), self._cpu_s()
        windows = list(self._plan(pcm, samples, language))
        planned = time.monotonic()
        replies = self._transcribed(windows)
        ended = time.monotonic()
        segments = [segment for reply in replies for segment in reply.segments]
        segments.sort(key=lambda segment: segment.start_ms)
        return DirectReading(
            text="".join(segment.text for segment in segments).strip(),
            decode_s=decoded - started,
            plan_s=planned - decoded,
            windows_s=ended - planned,
            windows=len(replies),
            cpu_s=self._cpu_s() - cpu_before_s,
        )

    def _plan(self, pcm: Path, samples: int, language: str) -> Iterator[WindowRequest]:
        start = 0
        while start < samples:
            limit = min(start + round(self._settings.audio_chunk_size_s * SAMPLE_RATE), samples)
            plan = self._engine.call(
                PlanRequest(
                    pcm=str(pcm),
                    start=start,
                    limit=limit,
                    is_last=limit == samples,
                    vad_filter=True,
                    level=self._settings.audio_optimization,
                )
            )
            assert isinstance(plan, PlanReply)
            yield from self._windows(pcm, plan, language)
            start = plan.end

    def _windows(self, pcm: Path, plan: PlanReply, language: str) -> Iterator[WindowRequest]:
        for first, end, speech_end in plan.windows:
            yield WindowRequest(
                pcm=str(pcm),
                model=self._model,
                checkpoint=self._checkpoint,
                gain=plan.gain,
                start=first,
                end=end,
                speech_end=speech_end,
                vad_filter=True,
                language=language,
                task="transcribe",
                prompt=None,
                hotwords=None,
                word_timestamps=False,
                priority=0,
                beam_size=self._settings.beam_size,
            )

    def _transcribed(self, windows: list[WindowRequest]) -> list[WindowReply]:
        talk = Conversation(self._engine)
        replies: list[WindowReply] = []

        def take(request: WindowRequest, reply: WindowReply) -> None:
            replies.append(reply)
            if reply.resume_sample is not None:
                ask(replace(request, start=reply.resume_sample))

        def ask(request: WindowRequest) -> None:
            talk.ask(request, partial(take, request))

        for window in windows:
            ask(window)
        while len(talk):
            talk.receive(timeout_s=_ANSWER_POLL_S)
        return replies

    def _cpu_s(self) -> float:
        assert self._engine.pid is not None
        return sum(psutil.Process(self._engine.pid).cpu_times()[:2])


@contextmanager
def direct_engine(model: str, **settings: str) -> Iterator[DirectEngine]:
    """`settings` by the names of the environment; what is missing takes its default."""
    with tempfile.TemporaryDirectory(prefix="voice-transcriber-bench-") as folder:
        values = {"DATA_DIR": folder, "DEFAULT_MODEL": "demo"}
        services = Services(Settings.from_mapping({**values, **settings}))
        try:
            yield DirectEngine(services, model)
        finally:
            services.stop()


def _decoded(media: Path, folder: Path, *, max_duration_s: float) -> tuple[Path, int]:
    """The PCM file and its samples, once all are there."""
    spawner = Spawner()
    try:
        decoding = Decoder(spawner, max_duration_s=max_duration_s).start(media, folder)
        while not decoding.finished:
            decoding.wait(sys.maxsize, timeout_s=1.0)
    finally:
        spawner.stop()
    return decoding.pcm.absolute(), decoding.samples
