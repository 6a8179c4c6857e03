"""The engine's message loop: one for each device, in a child process or in a thread.

The reading thread only fills the inbox; one thread computes. Requests that
feed others (plans, languages) go before windows; windows are taken in batches.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Sequence
from pathlib import Path

from voice_transcriber.engines.base import Model, VoiceDetector
from voice_transcriber.engines.batcher import Batcher, Waiting
from voice_transcriber.engines.model_cache import ModelCache
from voice_transcriber.engines.planning import plan_chunk
from voice_transcriber.engines.protocol import (
    HostOptions,
    LanguageReply,
    LanguageRequest,
    PlanRequest,
    WindowRequest,
    error_to_message,
    reply_to_message,
    request_from_message,
)
from voice_transcriber.engines.registry import make_detector, make_engine
from voice_transcriber.engines.stopwatch import Stopwatch
from voice_transcriber.engines.windows import FeatureShelf, encode_windows, transcribe_batch
from voice_transcriber.errors import InternalError, TranscriberError
from voice_transcriber.processes.channel import Channel, ChannelBroken, Message
from voice_transcriber.processes.memory import free_unused_memory

log = logging.getLogger(__name__)

END_OF_INPUT = None
BATCH_WAIT_S = 0.01


class EngineHost:
    """Answers requests until the channel ends."""

    def __init__(self, channel: Channel, options: HostOptions, *, device: str) -> None:
        self._channel = channel
        self._options = options
        self._inbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._batcher = Batcher(batch_size=options.batch_size)
        self._shelf = FeatureShelf()
        self._models = ModelCache(
            make_engine(options.engine),
            size=1 if options.free_memory_early else options.model_cache_size,
            device=device,
            compute_type="float16" if device == "cuda" else "float32",
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
            if isinstance(request, PlanRequest):
                reply = reply_to_message(message["id"], plan_chunk(request, self._voice_detector()))
            else:
                assert isinstance(request, LanguageRequest)
                reply = reply_to_message(message["id"], self._language(request))
        except TranscriberError as error:
            reply = error_to_message(message["id"], error)
        except Exception as error:  # a fault of ours must not take the other jobs down
            log.exception("Request %s failed.", message["op"])
            reply = error_to_message(message["id"], InternalError(str(error)))
        self._channel.send(reply)

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
            model = self._model(requests[0].model, requests[0].checkpoint)
            replies = transcribe_batch(model, requests, self._shelf)
        except TranscriberError as error:
            return [error_to_message(item.id, error) for item in batch]
        except Exception as error:  # a fault of ours must not take the other jobs down
            log.exception("A batch of %d windows failed.", len(batch))
            return [error_to_message(item.id, InternalError(str(error))) for item in batch]
        return [
            reply_to_message(item.id, reply) for item, reply in zip(batch, replies, strict=True)
        ]

    def _language(self, request: LanguageRequest) -> LanguageReply:
        """Vote of the windows: the language with the highest mean probability."""
        watch = Stopwatch()
        model = self._model(request.model, request.checkpoint)
        keys = [
            (request.model, request.pcm, request.gain, start, end) for start, end in request.windows
        ]
        with watch.stage("encode"):
            features = encode_windows(model, keys, self._shelf)
        with watch.stage("language"):
            votes = model.detect_language(features)
        for key, window_features in zip(keys, features, strict=True):
            self._shelf.keep(key, window_features)
        mean = {code: sum(vote.get(code, 0.0) for vote in votes) / len(votes) for code in votes[0]}
        language = max(mean, key=mean.__getitem__)
        return LanguageReply(
            language=language, probability=round(mean[language], 4), stages_s=watch.stages_s
        )

    def _model(self, name: str, checkpoint: str) -> Model:
        if name not in self._models:
            self._shelf.clear()
            self._channel.send({"event": "loading", "model": name})
        try:
            return self._models.get(name, Path(checkpoint))
        finally:  # a model that cannot be loaded is not being loaded any more
            self._channel.send({"event": "models", "names": self._models.names})

    def _unload(self, idle_s: float) -> None:
        if len(self._batcher):
            return
        self._shelf.clear()
        if self._models.drop_idle(idle_s=idle_s):
            free_unused_memory()
        self._channel.send({"event": "models", "names": self._models.names})

    def _voice_detector(self) -> VoiceDetector:
        if self._detector is None:
            self._detector = make_detector(self._options.engine)
        return self._detector
