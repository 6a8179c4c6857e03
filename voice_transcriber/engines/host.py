"""The engine's message loop: one for each device, in a child process or in a thread.

The reading thread only fills the inbox; one thread computes. Requests that
feed others (plans, languages) go before windows; windows are taken in batches.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from voice_transcriber.engines.base import Model, VoiceDetector
from voice_transcriber.engines.batcher import Batcher, Waiting
from voice_transcriber.engines.compute import place_on
from voice_transcriber.engines.device import free_bytes, give_back_memory
from voice_transcriber.engines.footprint import needed_bytes
from voice_transcriber.engines.model_cache import ModelCache, Room
from voice_transcriber.engines.planning import plan_chunk
from voice_transcriber.engines.protocol import (
    ON_CPU,
    ON_GPU,
    HostOptions,
    LanguageReply,
    LanguageRequest,
    LoadReply,
    LoadRequest,
    Place,
    PlanRequest,
    Reply,
    Request,
    WindowRequest,
    error_to_message,
    reply_to_message,
    request_from_message,
)
from voice_transcriber.engines.registry import make_detector, make_engine
from voice_transcriber.engines.stopwatch import Stopwatch
from voice_transcriber.engines.windows import (
    FeatureShelf,
    encode_windows,
    transcribe_batch,
    warm_up,
)
from voice_transcriber.errors import (
    EngineOutOfMemory,
    GpuFailed,
    InternalError,
    TranscriberError,
)
from voice_transcriber.processes.channel import Channel, ChannelBroken, Message

log = logging.getLogger(__name__)

T = TypeVar("T")
ModelRequest = LanguageRequest | LoadRequest | WindowRequest

END_OF_INPUT = None
BATCH_WAIT_S = 0.01


class EngineHost:
    """Answers requests until the channel ends."""

    def __init__(
        self,
        channel: Channel,
        options: HostOptions,
        *,
        place: Place,
        free_bytes: Callable[[str], int] = free_bytes,
    ) -> None:
        """`free_bytes(device)` is the memory in which another model would have room."""
        self._channel = channel
        self._options = options
        self._free_bytes = free_bytes
        self._inbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._batcher = Batcher(batch_size=options.batch_size)
        self._shelf = FeatureShelf()
        self._models = ModelCache(
            make_engine(options.engine, Path(options.model_dir) if options.model_dir else None),
            size=1 if options.free_memory_early else options.model_cache_size,
            place=place,
            cpu=place_on(ON_CPU.device, options),
            room=Room(free_bytes=free_bytes, needed_bytes=self._needed_bytes),
        )
        self._detector: VoiceDetector | None = None

    def read(self) -> None:
        """Fill the inbox until end of file; runs in a thread of its own."""
        try:
            for message in self._channel.messages():
                self._inbox.put(message)
        except (ChannelBroken, OSError):
            log.warning("The app's process ended in the middle of a message.")
        finally:
            self._inbox.put(END_OF_INPUT)

    def run(self) -> None:
        """Compute until the input ends."""
        try:
            self._tell_models()
            while self._take_messages():
                self._run_batch()
        except BrokenPipeError:
            log.warning("The app's process no longer listens.")

    def _take_messages(self) -> bool:
        """Handle all waiting messages; wait for one when there is no window to decode."""
        while True:
            try:
                message = self._inbox.get(timeout=self._patience_s())
            except queue.Empty:
                return True
            if message is END_OF_INPUT:
                return False
            self._handle(message)

    def _patience_s(self) -> float | None:
        """How long to wait for a further message: for ever without work, and a moment for
        windows that are on their way while a batch is not full.
        """
        if not len(self._batcher):
            return None
        return 0.0 if len(self._batcher) >= self._options.batch_size else BATCH_WAIT_S

    def _handle(self, message: Message) -> None:
        match message["op"]:
            case "cancel":
                self._batcher.drop(message["ids"])
            case "unload":
                self._unload(message["idle_s"])
            case "window":
                request = request_from_message(message)
                assert isinstance(request, WindowRequest)
                self._batcher.add(Waiting(message["id"], request))
            case _:
                self._answer(message)

    def _answer(self, message: Message) -> None:
        request = request_from_message(message)
        self._announce([message["id"]])
        try:
            reply = reply_to_message(message["id"], self._reply(request))
        except TranscriberError as error:
            reply = error_to_message(message["id"], error)
        except Exception as error:  # a fault of ours must not take the other jobs down
            log.exception("Request %s failed.", message["op"])
            reply = error_to_message(message["id"], InternalError(str(error)))
        self._channel.send(reply)

    def _reply(self, request: Request) -> Reply:
        match request:
            case PlanRequest():
                return plan_chunk(request, self._voice_detector())
            case LanguageRequest():
                return self._language(request)
            case LoadRequest():
                return self._load(request)
            case WindowRequest():
                raise AssertionError("windows are answered in batches")

    def _run_batch(self) -> None:
        batch = self._batcher.take(is_loaded=self._models.__contains__)
        if not batch:
            return
        self._announce([item.id for item in batch])
        for reply in self._batch_replies(batch):
            self._channel.send(reply)

    def _announce(self, ids: Sequence[int]) -> None:
        """Tell what is in work from now on, so that a crash can be laid at the right door."""
        self._channel.send({"event": "batch", "ids": list(ids)})

    def _batch_replies(self, batch: Sequence[Waiting]) -> list[Message]:
        requests = [item.request for item in batch]
        try:
            replies = self._with_model(
                requests[0], lambda model: transcribe_batch(model, requests, self._shelf)
            )
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
        return self._with_model(request, lambda model: self._votes(model, request))

    def _votes(self, model: Model, request: LanguageRequest) -> LanguageReply:
        watch = Stopwatch()
        keys = [
            (request.model, request.pcm, request.gain, start, end) for start, end in request.windows
        ]
        with watch.stage("encode"):
            features = encode_windows(model, keys, self._shelf)
        with watch.stage("language"):
            votes = model.detect_language(features)
        for key, window_features in zip(keys, features, strict=True):
            self._shelf.keep(key, window_features)
        return LanguageReply(votes=[dict(vote) for vote in votes], stages_s=watch.stages_s)

    def _load(self, request: LoadRequest) -> LoadReply:
        watch = Stopwatch()
        with watch.stage("load"):
            self._model(request.model, request.checkpoint)
        with watch.stage("warm"):
            self._with_model(request, warm_up)
        return LoadReply(stages_s=watch.stages_s)

    def _with_model(self, request: ModelRequest, work: Callable[[Model], T]) -> T:
        """What `work` gives; a GPU that fails at it is left for the CPU."""
        model = self._model(request.model, request.checkpoint)
        try:
            return work(model)
        except (EngineOutOfMemory, GpuFailed) as fault:
            self._shelf.clear()
            moved = self._moved_to_cpu(request, fault)
        return work(moved)

    def _moved_to_cpu(self, request: ModelRequest, fault: TranscriberError) -> Model:
        try:
            return self._models.move_to_cpu(request.model, Path(request.checkpoint), fault)
        finally:
            self._tell_models()

    def _model(self, name: str, checkpoint: str) -> Model:
        if name not in self._models:
            self._shelf.clear()
            self._channel.send({"event": "loading", "model": name})
        try:
            return self._models.get(name, Path(checkpoint))
        finally:  # a model that cannot be loaded is not being loaded any more
            self._tell_models()

    def _needed_bytes(self, checkpoint: Path, device: str) -> int:
        return needed_bytes(
            checkpoint.stat().st_size,
            batch_size=self._options.batch_size,
            compute_type=place_on(device, self._options).compute_type,
        )

    def _tell_models(self) -> None:
        """What is in memory and where it computes, and how much of a GPU's memory is left."""
        device = self._models.device
        places = {name: asdict(place) for name, place in self._models.places.items()}
        self._channel.send(
            {
                "event": "models",
                "names": self._models.names,
                "places": places,
                "gpu_free_bytes": self._free_bytes(device) if device == ON_GPU.device else None,
            }
        )

    def _unload(self, idle_s: float) -> None:
        if len(self._batcher):
            return
        self._shelf.clear()
        if self._models.drop_idle(idle_s=idle_s):
            give_back_memory(self._models.device)
        self._tell_models()

    def _voice_detector(self) -> VoiceDetector:
        if self._detector is None:
            self._detector = make_detector(self._options.engine)
        return self._detector
