"""The app's side of the engine: sends requests, hands out replies, replaces a dead host.

Any thread may submit. Replies are given to the callback of their request in the
reader's thread, so callbacks only pass them on. The host is started at the first
request and again at the next request after it died.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum

from voice_transcriber.engines.child import HostStarter, RunningHost
from voice_transcriber.engines.gpu_policy import GpuStatus
from voice_transcriber.engines.protocol import (
    Place,
    Reply,
    Request,
    reply_from_message,
    request_to_message,
)
from voice_transcriber.engines.work_board import PLANS
from voice_transcriber.errors import EngineCrashed, TranscriberError
from voice_transcriber.processes.channel import ChannelBroken, Message

log = logging.getLogger(__name__)


class Blame(Enum):
    """What a request had to do with the death of the host."""

    NONE = "none"  # it was waiting
    BATCH = "batch"  # it was in work together with others
    ALONE = "alone"  # it alone was in work
    HOST = "host"  # the host died while it started or loaded the request's model


@dataclass(frozen=True, kw_only=True)
class HostCrash:
    """The host died before it answered this request."""

    cause: str
    blame: Blame

    def as_error(self) -> EngineCrashed:
        return EngineCrashed(f"The speech engine's process ended unexpectedly ({self.cause}).")


Answer = Reply | TranscriberError | HostCrash
OnAnswer = Callable[[int, Answer], None]  # the request's id and what came of it


def reply_of(answer: Answer) -> Reply:
    """Raises what stands in the place of a reply."""
    if isinstance(answer, HostCrash):
        raise answer.as_error()
    if isinstance(answer, TranscriberError):
        raise answer
    return answer


@dataclass(frozen=True)
class _Pending:
    request: Request
    on_answer: OnAnswer


@dataclass
class _AtWork:
    """What one of the host's threads works on."""

    ids: set[int]  # not answered yet
    size: int  # answered ones included
    heard_at: float  # when its thread said something last


class EngineClient:
    """One engine for all jobs."""

    def __init__(
        self, start_host: HostStarter, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._start_host = start_host
        self._clock = clock
        self._lock = threading.RLock()
        self._ids = itertools.count(1)
        self._host: RunningHost | None = None
        self._pending: dict[int, _Pending] = {}
        self._at_work: dict[str, _AtWork] = {}  # by lane
        self._heard_at = clock()
        self._host_spoke = False
        self._stopped = False
        self.starts = 0  # how often a host was started
        self.models: list[str] = []  # in memory now
        self.loading: str | None = None  # model that is being loaded now
        self.gpu_free_bytes: int | None = None  # None: no GPU is used, or not known yet
        self.gpu: GpuStatus | None = None  # None: the host has not said yet, or there is none
        self.batch_size = 0  # windows that the host decodes together; 0: it has not said yet
        self._places: dict[str, Place] = {}

    @property
    def pid(self) -> int | None:
        """Process id of the engine child; None when there is none or it is a thread."""
        host = self._host
        return host.pid if host else None

    @property
    def is_running(self) -> bool:
        return self._host is not None

    @property
    def is_ready(self) -> bool:
        """False while the host still starts, which takes seconds where files are not cached."""
        return self._host is not None and self._host_spoke

    @property
    def is_at_work(self) -> bool:
        """Whether the host has taken up something that it has not answered."""
        with self._lock:
            return any(work.ids for work in self._at_work.values())

    def place(self, model: str) -> Place | None:
        """Where a model computes, or did when it was last in memory; None if it never was."""
        return self._places.get(model)

    def submit(self, request: Request, on_answer: OnAnswer) -> int:
        """Send a request; its one answer goes to `on_answer`. Raises EngineCrashed after stop()."""
        with self._lock:
            if self._stopped:
                raise EngineCrashed("The speech engine was stopped.")
            host = self._host or self._start()
            request_id = next(self._ids)
            self._pending[request_id] = _Pending(request, on_answer)
            self._send(host, request_to_message(request_id, request))
            return request_id

    def call(self, request: Request) -> Reply:
        """Submit and wait. Raises the reply's error, or EngineCrashed."""
        future: Future[Answer] = Future()
        self.submit(request, lambda _request_id, answer: future.set_result(answer))
        return reply_of(future.result())

    def cancel(self, request_ids: Collection[int]) -> None:
        """Forget requests; their callbacks are not called any more."""
        with self._lock:
            known = [one for one in request_ids if self._pending.pop(one, None)]
            if known and self._host:
                self._send(self._host, {"op": "cancel", "ids": known})

    def unload_idle(self, *, idle_s: float) -> None:
        """Let go of models that nobody has used for so long."""
        with self._lock:
            if self._host and not self._pending and self.models:
                self._send(self._host, {"op": "unload", "idle_s": idle_s})

    def kill_if_silent(self, *, limit_s: float) -> bool:
        """Kill a host that owes answers when it, or one of its threads that is at work, has said
        nothing for so long; True when it did.
        """
        with self._lock:
            host = self._host
            busy = [work.heard_at for work in self._at_work.values() if work.ids]
            silent_s = self._clock() - min([self._heard_at, *busy])
            if host is None or not self._pending or silent_s < limit_s:
                return False
        log.error("The speech engine said nothing for %.0f s and is replaced.", silent_s)
        host.kill()
        return True

    def stop(self) -> None:
        """End the host; pending requests are answered with HostCrash."""
        with self._lock:
            self._stopped = True
            host = self._host
        if host:
            host.channel.close()
            host.kill()

    def _start(self) -> RunningHost:
        host = self._start_host()
        self._host = host
        self.starts += 1
        self._host_spoke = False
        self._heard_at = self._clock()
        threading.Thread(target=self._read, args=(host,), name="engine-reader", daemon=True).start()
        return host

    def _send(self, host: RunningHost, message: Message) -> None:
        if not self.is_at_work and len(self._pending) <= 1:
            self._heard_at = self._clock()  # an idle host owes nothing
        try:
            host.channel.send(message)
        except OSError:
            # The reader sees the end of the same host and answers all pending requests.
            log.debug("The speech engine ended while a request was sent.")

    def _read(self, host: RunningHost) -> None:
        try:
            for message in host.channel.messages():
                self._receive(message)
        except (ChannelBroken, OSError):
            log.warning("The speech engine ended in the middle of a message.")
            host.kill()
        self._bury(host)

    def _receive(self, message: Message) -> None:
        self._host_spoke = True
        self._hear(message)
        if "event" in message:
            self._note(message)
            return
        with self._lock:
            pending = self._pending.pop(message["id"], None)
            for work in self._at_work.values():
                work.ids.discard(message["id"])
        if pending is None:  # cancelled
            return
        pending.on_answer(message["id"], reply_from_message(message, pending.request))

    def _hear(self, message: Message) -> None:
        """Plans have a thread of their own; all else that is said comes from the other one."""
        with self._lock:
            plans = self._at_work.get(PLANS)
            is_of_plans = message.get("lane") == PLANS or (
                plans is not None and message.get("id") in plans.ids
            )
            self._heard_at = self._clock()
            for lane, work in self._at_work.items():
                if (lane == PLANS) == is_of_plans:
                    work.heard_at = self._heard_at

    def _note(self, message: Message) -> None:
        match message["event"]:
            case "batch":
                ids = set(message["ids"])
                with self._lock:
                    self._at_work[message["lane"]] = _AtWork(ids, len(ids), self._heard_at)
            case "loading":
                self.loading = message["model"]
            case "models":
                self.loading = None
                self.models = message["names"]
                places = message.get("places", {})
                self._places |= {name: Place(**place) for name, place in places.items()}
                self.gpu_free_bytes = message.get("gpu_free_bytes")
                self.batch_size = message.get("batch_size", 0)
                self.gpu = GpuStatus.from_message(message["gpu"]) if "gpu" in message else None

    def _bury(self, host: RunningHost) -> None:
        cause = host.cause_of_death()
        host.channel.close()
        with self._lock:
            pending, self._pending = self._pending, {}
            blames = {request_id: self._blame(request_id) for request_id in pending}
            self._host, self._at_work = None, {}
            self.models, self.loading, self.gpu_free_bytes, self.gpu = [], None, None, None
        if not self._stopped:
            log.error("The speech engine's process ended: %s", cause)
        for request_id, one in pending.items():
            one.on_answer(request_id, HostCrash(cause=cause, blame=blames[request_id]))

    def _blame(self, request_id: int) -> Blame:
        if not self._host_spoke:
            return Blame.HOST
        lane = next((one for one, work in self._at_work.items() if request_id in work.ids), None)
        if lane is None:
            return Blame.NONE
        beside = any(work.ids for one, work in self._at_work.items() if one != lane)
        plans = self._at_work.get(PLANS)
        if self.loading and not (plans and plans.ids):
            return Blame.HOST
        return Blame.ALONE if self._at_work[lane].size == 1 and not beside else Blame.BATCH
