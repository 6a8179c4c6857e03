"""An engine that answers what a test makes it answer, in an order that a seed decides."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from random import Random
from typing import Any

from voice_transcriber.engines.client import Answer, OnAnswer
from voice_transcriber.engines.protocol import (
    LanguageReply,
    LanguageRequest,
    ModelKey,
    PlanReply,
    PlanRequest,
    Reply,
    Request,
    WindowReply,
    WindowRequest,
)
from voice_transcriber.errors import TranscriberError
from voice_transcriber.job import SAMPLE_RATE
from voice_transcriber.transcript.model import Segment

WINDOW = 30 * SAMPLE_RATE
QUIET_S = 1.0  # without further requests, until slow ones are answered
STAGES_S = {"encode": 0.25, "text": 0.5}

Fault = Callable[[Request], TranscriberError | None]


def no_fault(_request: Request) -> TranscriberError | None:
    return None


@dataclass
class ScriptedEngine:
    """Windows are 30 s each, and their text is the second at which they start."""

    seed: int = 0
    fault: Fault = no_fault
    slow: Callable[[WindowRequest], bool] = lambda _request: False  # answered after all others
    leave_out: Callable[[WindowRequest], int | None] = lambda _request: None
    heard: list[Request] = field(default_factory=list)
    answered: list[WindowRequest] = field(default_factory=list)
    pid = None
    is_running = is_ready = True
    starts = 1
    models: list[ModelKey] = field(default_factory=list)
    loading = problem = warning = None
    gpu_free_bytes = None
    gpu = None
    batch_size = 0

    def __post_init__(self) -> None:
        self._chooser = Random(self.seed)
        self._changed = threading.Condition()
        self._open: dict[int, tuple[Request, OnAnswer]] = {}
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._stopped = False
        self._thread.start()

    def submit(self, request: Request, on_answer: OnAnswer) -> int:
        with self._changed:
            number = len(self.heard)
            self.heard.append(request)
            self._open[number] = (request, on_answer)
            self._changed.notify_all()
        return number

    def cancel(self, request_ids: Collection[int]) -> None:
        with self._changed:
            for number in request_ids:
                self._open.pop(number, None)

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def call(self, request: Request) -> Reply:
        raise NotImplementedError

    def unload_idle(self, *, idle_s: float) -> None: ...

    def abandon(self, request_ids: Collection[int]) -> None:
        self.cancel(request_ids)

    def supervise(self) -> None: ...

    def windows(self) -> list[WindowRequest]:
        return [one for one in self.heard if isinstance(one, WindowRequest)]

    def plans(self) -> list[PlanRequest]:
        return [one for one in self.heard if isinstance(one, PlanRequest)]

    def _answer(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._open or self._stopped)
                if self._stopped:
                    return
            time.sleep(0.001)  # so that several wait, and the order is a choice
            with self._changed:
                if not self._quick():
                    self._changed.wait_for(self._quick, QUIET_S)
                if not self._open:
                    continue
                number = self._chooser.choice(self._quick() or list(self._open))
                request, on_answer = self._open.pop(number)
                if isinstance(request, WindowRequest):
                    self.answered.append(request)
            on_answer(number, self.fault(request) or self._reply(request))

    def _quick(self) -> list[int]:
        return [
            number
            for number, (request, _) in self._open.items()
            if not (isinstance(request, WindowRequest) and self.slow(request))
        ]

    def _reply(self, request: Request) -> Answer:
        match request:
            case PlanRequest():
                return _plan(request)
            case LanguageRequest():
                return LanguageReply(votes=[{"de": 0.8, "en": 0.2} for _ in request.windows])
            case WindowRequest():
                return WindowReply(
                    segments=[segment_at(request.start, request.end)],
                    resume_sample=self.leave_out(request),
                    stages_s=STAGES_S,
                )
        raise NotImplementedError


def segment_at(start: int, end: int) -> Segment:
    return Segment(
        start_ms=start * 1000 // SAMPLE_RATE,
        end_ms=end * 1000 // SAMPLE_RATE,
        text=f" {start / SAMPLE_RATE:.0f}",
        tokens=(),
    )


def _plan(request: PlanRequest) -> PlanReply:
    """Cut five seconds before the limit."""
    end = request.limit if request.is_last else request.limit - 5 * SAMPLE_RATE
    starts = range(request.start, end, WINDOW)
    windows: list[Any] = [(at, min(at + WINDOW, end), min(at + WINDOW, end)) for at in starts]
    return PlanReply(end=end, gain=1.0, windows=windows, stages_s={"vad": 0.125})
