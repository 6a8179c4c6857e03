"""The engine's message loop: one for each device, in a child process or in a thread.

The reading thread hands out what comes. Plans are made in a thread of their own; all else is
computed in one thread: languages, which windows wait for, first, then windows in batches.
"""

from __future__ import annotations

import logging
import queue
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from voice_transcriber.engines.base import Model, VoiceDetector
from voice_transcriber.engines.batcher import Batcher, Waiting
from voice_transcriber.engines.gpu_policy import LOOK_S
from voice_transcriber.engines.model_desk import Memory, ModelDesk
from voice_transcriber.engines.plan_lane import PlanLane
from voice_transcriber.engines.planning import plan_chunk
from voice_transcriber.engines.protocol import (
    HostOptions,
    LanguageReply,
    LanguageRequest,
    LoadReply,
    LoadRequest,
    NeedsModel,
    Place,
    PlanRequest,
    Reply,
    Request,
    WindowRequest,
    error_to_message,
    reply_to_message,
    request_from_message,
)
from voice_transcriber.engines.registry import make_detector
from voice_transcriber.engines.stopwatch import Stopwatch
from voice_transcriber.engines.windows import encode_ahead, warm_up
from voice_transcriber.engines.work_board import URGENT, WINDOWS, WorkBoard
from voice_transcriber.errors import InternalError, TranscriberError
from voice_transcriber.job import Priority
from voice_transcriber.processes.channel import Channel, ChannelBroken, Message

log = logging.getLogger(__name__)

END_OF_INPUT = None
BATCH_WAIT_S = 0.01
EXPECTED_S = 0.1  # for the windows of a file whose language was asked for, to be stored and sent


@dataclass(frozen=True)
class _Expected:
    pcm: str
    until: float  # monotonic


class EngineHost:
    """Answers requests until the channel ends."""

    def __init__(
        self,
        channel: Channel,
        options: HostOptions,
        *,
        place: Place,
        memory: Memory | None = None,
        on_step: Callable[[], None] = lambda: None,
    ) -> None:
        """`memory` is the computer's, unless a test has another; `on_step` is called again and
        again while a batch comes along, from any thread.
        """
        self._channel = channel
        self._on_step = on_step
        self._options = options
        self._inbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._batcher = Batcher()
        self._board = WorkBoard(channel)
        self._plans = PlanLane(self._board, self._answer_plan)
        self._desk = ModelDesk(
            channel,
            options,
            place=place,
            memory=memory,
            between_steps=self._let_urgent_pass,
            on_step=on_step,
            is_urgent=self._is_urgent_waiting,
        )
        self._running: WindowRequest | None = None  # the first of the batch in work
        self._later: deque[Message | None] = deque()  # read while a batch was in work
        self._detector: VoiceDetector | None = None
        self._expected: _Expected | None = None

    def read(self) -> None:
        """Hand out messages until end of file; runs in a thread of its own."""
        try:
            for message in self._channel.messages():
                self._hand_out(message)
        except (ChannelBroken, OSError):
            log.warning("The app's process ended in the middle of a message.")
        finally:
            self._inbox.put(END_OF_INPUT)

    def run(self) -> None:
        """Compute until the input ends."""
        self._plans.start()
        try:
            self._desk.tell()
            while self._take_messages():
                self._desk.look_at_gpu()
                self._run_batch()
        except BrokenPipeError:
            log.warning("The app's process no longer listens.")
        finally:
            self._plans.end()

    def _hand_out(self, message: Message) -> None:
        match message["op"]:
            case "plan":
                request = self._request(message)
                assert isinstance(request, PlanRequest)
                self._plans.ask(message["id"], request)
                return
            case "cancel":
                self._plans.drop(message["ids"])
            case "leave":  # after the batch in work
                self._inbox.put(END_OF_INPUT)
                return
        self._inbox.put(message)

    def _take_messages(self) -> bool:
        """Handle all waiting messages; wait for one when there is no window to decode."""
        while True:
            try:
                message = (
                    self._later.popleft()
                    if self._later
                    else self._inbox.get(timeout=self._patience_s())
                )
            except queue.Empty:
                return True
            if message is END_OF_INPUT:
                return False
            self._handle(message)

    def _patience_s(self) -> float | None:
        """How long to wait for a further message: without work for ever, or until the GPU is
        looked at again; a moment for windows that are on their way while a batch is not full, or
        whose language was told just now: a clip's only window does not miss the next batch.
        """
        if not len(self._batcher):
            return LOOK_S if self._desk.waits_for_gpu else None
        if self._expected:
            left_s = self._expected.until - time.monotonic()
            if left_s > 0:
                return left_s
            self._expected = None
        return 0.0 if len(self._batcher) >= self._options.batch_size else BATCH_WAIT_S

    def _handle(self, message: Message) -> None:
        match message["op"]:
            case "cancel":
                self._batcher.drop(message["ids"])
            case "unload":
                if not len(self._batcher):
                    self._desk.unload(idle_s=message["idle_s"])
            case "window":
                request = self._request(message)
                assert isinstance(request, WindowRequest)
                self._batcher.add(Waiting(message["id"], request))
                if self._expected and request.pcm == self._expected.pcm:
                    self._expected = None
            case _:
                request = self._request(message)
                alone = isinstance(request, LanguageRequest) and request.alone
                with self._board.work(WINDOWS, [message["id"]], alone=alone):
                    self._answer(message["id"], lambda: self._reply(request))
                self._desk.shelf.trim()
                if isinstance(request, LanguageRequest):
                    self._expected = _Expected(request.pcm, time.monotonic() + EXPECTED_S)

    def _request(self, message: Message) -> Request:
        """One that names the host's own engine means no other than one that names none."""
        request = request_from_message(message)
        if isinstance(request, NeedsModel) and request.engine == self._options.engine:
            return replace(request, engine=None)
        return request

    def _answer_plan(self, request_id: int, request: PlanRequest) -> None:
        """In the thread of the plans."""
        self._answer(request_id, lambda: plan_chunk(request, self._voice_detector()))

    def _answer(self, request_id: int, make_reply: Callable[[], Reply]) -> None:
        try:
            reply = reply_to_message(request_id, make_reply())
        except TranscriberError as error:
            reply = error_to_message(request_id, error)
        except Exception as error:  # a fault of ours must not take the other jobs down
            log.exception("Request %d failed.", request_id)
            reply = error_to_message(request_id, InternalError(str(error)))
        self._channel.send(reply)

    def _reply(self, request: Request) -> Reply:
        match request:
            case LanguageRequest():
                return self._language(request)
            case LoadRequest():
                return self._load(request)
            case _:
                raise AssertionError("plans have a thread of their own, windows go in batches")

    def _run_batch(self) -> None:
        batch = self._batcher.take(
            is_loaded=self._desk.__contains__, batch_size=self._desk.batch_size
        )
        if not batch:
            return
        first = batch[0].request
        with self._board.work(WINDOWS, [item.id for item in batch], alone=first.alone):
            self._running = None if first.alone else first
            replies = self._batch_replies(batch, gather=self._gather)
            self._running = None
            self._desk.shelf.trim()
            for reply in replies:
                self._channel.send(reply)

    def _gather(self, batch: list[Waiting]) -> None:
        """Encode the batch; windows that come meanwhile join it, as far as there is room, and
        urgent ones pass.
        """
        first, new = batch[0].request, list(batch)
        while new and self._encode(new):
            self._take_urgent_messages(first)
            room = self._desk.batch_size(first) - len(batch)
            new = self._batcher.take_joining(first, room=room)
            batch += new
            if new:
                self._board.tell(WINDOWS, [item.id for item in batch])

    def _encode(self, batch: Sequence[Waiting]) -> bool:
        """False when the device has no room for it ahead of the decoder's work."""
        for part in self._desk.encoded_together([item.request for item in batch]):
            if not self._desk.encode(part):
                return False
            self._let_urgent_pass()
        return True

    def _let_urgent_pass(self) -> None:
        """Called between two steps of a batch, by a thread that decodes it: this loop waits."""
        self._on_step()
        running, self._running = self._running, None  # what passes lets nothing pass
        if running is None:
            return
        self._take_urgent_messages(running)
        while batch := self._batcher.take_before(running, batch_size=self._desk.batch_size):
            self._board.tell(URGENT, [item.id for item in batch])
            for reply in self._batch_replies(batch):
                self._channel.send(reply)
        self._running = running

    def _is_urgent_waiting(self) -> bool:
        """Called between two steps of loading a model: only windows are taken in."""
        while not self._inbox.empty():
            message = self._inbox.get()
            if message is not END_OF_INPUT and message["op"] in {"window", "cancel"}:
                self._handle(message)
            else:
                self._later.append(message)
        running = self._running.priority if self._running else Priority.NORMAL
        return self._batcher.has_before(running)

    def _take_urgent_messages(self, running: WindowRequest) -> None:
        """Windows come to the others, and the language of a recording is told at once, because
        its windows wait for that, unless it must be alone; all else is left to the loop.
        """
        while not self._inbox.empty():
            message = self._inbox.get()
            if message is END_OF_INPUT:
                self._later.append(message)
            elif message["op"] in {"window", "cancel"}:
                self._handle(message)
            elif self._may_pass(message, running):
                self._board.tell(URGENT, [message["id"]])
                self._answer(message["id"], partial(self._reply, self._request(message)))
            else:
                self._later.append(message)

    def _may_pass(self, message: Message, running: WindowRequest) -> bool:
        if message["op"] != LanguageRequest.op or message["alone"]:
            return False
        request = self._request(message)
        return isinstance(request, LanguageRequest) and request.key == running.key

    def _batch_replies(
        self, batch: list[Waiting], *, gather: Callable[[list[Waiting]], None] = lambda batch: None
    ) -> list[Message]:
        """`gather` is called first, and may add to the batch."""
        try:
            gather(batch)
            replies = self._desk.transcribe([item.request for item in batch])
        except TranscriberError as error:
            return [error_to_message(item.id, error) for item in batch]
        except Exception as error:  # a fault of ours must not take the other jobs down
            log.exception("A batch of %d windows failed.", len(batch))
            return [error_to_message(item.id, InternalError(str(error))) for item in batch]
        return [
            reply_to_message(item.id, reply) for item, reply in zip(batch, replies, strict=True)
        ]

    def _language(self, request: LanguageRequest) -> LanguageReply:
        """The features are kept: the windows will probably be decoded next."""
        return self._desk.with_model(request, lambda model: self._votes(model, request))

    def _votes(self, model: Model, request: LanguageRequest) -> LanguageReply:
        watch, shelf = Stopwatch(), self._desk.shelf
        keys = [
            (request.key, request.pcm, request.gain, start, end) for start, end in request.windows
        ]
        encode_ahead(model, keys, shelf)
        features = [shelf.look(key, watch) for key in keys]
        with watch.stage("language"):
            votes = model.detect_language(features)
        return LanguageReply(votes=[dict(vote) for vote in votes], stages_s=watch.stages_s)

    def _load(self, request: LoadRequest) -> LoadReply:
        watch = Stopwatch()
        with watch.stage("load"):
            self._desk.load(request)
        with watch.stage("warm"):
            self._desk.with_model(request, warm_up)
        return LoadReply(stages_s=watch.stages_s)

    def _voice_detector(self) -> VoiceDetector:
        if self._detector is None:
            self._detector = make_detector(self._options.engine)
        return self._detector
