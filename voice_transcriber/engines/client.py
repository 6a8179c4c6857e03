"""The app's side of the engine: sends requests, hands out replies, replaces a host that died.

A host that hangs, or holds too much memory, is ended by `supervise`. Any thread may
submit. Replies are given to the callback of their request in the reader's thread, so
callbacks only pass them on. The host is started at the first request and again at the
next request after it died.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass

from voice_transcriber import kill_points
from voice_transcriber.engines.child import HostStarter, RunningHost
from voice_transcriber.engines.gpu_policy import GpuStatus
from voice_transcriber.engines.host_watch import Blame, Death, HostWatch, WatchLimits
from voice_transcriber.engines.protocol import (
    ModelKey,
    Reply,
    Request,
    reply_from_message,
    request_to_message,
)
from voice_transcriber.errors import EngineCrashed, EngineError, TranscriberError
from voice_transcriber.processes.channel import ChannelBroken, Message
from voice_transcriber.processes.watch import AwakeClock, is_stopped, own_memory_bytes

CRASHES_IN_A_ROW = 5  # without an answer in between: more than one bad window needs to end alone
TROUBLE_S = 600.0  # after the last of them
LOCK_S = 2.0
MEMORY_PAUSE_S = 600.0  # between two replacements for memory: loading models costs time too

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class HostCrash:
    """The host died before it answered this request."""

    cause: str
    blame: Blame
    kind: type[EngineError] = EngineCrashed

    def as_error(self) -> EngineError:
        what = (self.kind.__doc__ or "").rstrip(".")
        return self.kind(f"{what} ({self.cause}).")


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


class EngineClient:
    """One engine for all jobs."""

    def __init__(
        self,
        start_host: HostStarter,
        *,
        limits: WatchLimits | None = None,
        memory_limit_bytes: int | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """`memory_limit_bytes`: a host that holds more is replaced between two batches."""
        self._start_host = start_host
        self._limits = limits or WatchLimits()
        self._memory_limit_bytes = memory_limit_bytes
        self._clock = clock or AwakeClock()
        self._lock = threading.RLock()
        self._ids = itertools.count(1)
        self._host: RunningHost | None = None
        self._watch = HostWatch(self._clock)  # of that host, or of the one before it
        self._reader: threading.Thread | None = None
        self._pending: dict[int, _Pending] = {}
        self._stopped = False
        self._crashes_in_a_row = 0
        self._last_crash: tuple[float, str] | None = None  # when, and its cause
        self._relieved_at: float | None = None  # when a host was replaced for its memory
        self.warning: str | None = None  # what somebody should look at
        self.starts = 0  # how often a host was started
        self.models: list[ModelKey] = []  # in memory now
        self.gpu_free_bytes: int | None = None  # None: no GPU is used, or not known yet
        self.gpu: GpuStatus | None = None  # None: the host has not said yet, or there is none
        self.batch_size = 0  # windows that the host decodes together; 0: it has not said yet

    @property
    def pid(self) -> int | None:
        """Process id of the engine child; None when there is none or it is a thread."""
        host = self._host
        return host.pid if host else None

    @property
    def loading(self) -> str | None:
        """The model that is being loaded now."""
        return self._watch.loading if self._host else None

    @property
    def problem(self) -> str | None:
        """Why the engine can do no work, in a sentence; None when it can, or nobody knows yet."""
        with self._lock:
            if self._last_crash is None or self._crashes_in_a_row < CRASHES_IN_A_ROW:
                return None
            crashed_at, cause = self._last_crash
            if self._clock() - crashed_at > TROUBLE_S:
                return None
            return (
                f"The speech engine ended {self._crashes_in_a_row} times in a row "
                f"without an answer: {cause}."
            )

    @property
    def is_running(self) -> bool:
        return self._host is not None

    @property
    def is_ready(self) -> bool:
        """False while the host still starts, which takes seconds where files are not cached."""
        return self._host is not None and self._watch.has_spoken

    @property
    def is_at_work(self) -> bool:
        """Whether the host has taken up something that it has not answered."""
        with self._lock:
            return self._host is not None and self._watch.is_at_work

    def submit(self, request: Request, on_answer: OnAnswer) -> int:
        """Send a request; its one answer goes to `on_answer`.

        Raises EngineCrashed when no host can be started, as after stop().
        """
        with self._lock:
            if self._stopped:
                raise EngineCrashed("The speech engine was stopped.")
            host = self._host or self._start()
            request_id = next(self._ids)
            self._pending[request_id] = _Pending(request, on_answer)
            self._send(host, request_to_message(request_id, request))
            return request_id

    def call(self, request: Request) -> Reply:
        """Submit and wait. Raises the reply's error, or that of a host that died at it."""
        while True:
            answer = self._answer_to(request)
            if not isinstance(answer, HostCrash) or answer.blame is not Blame.NONE:
                return reply_of(answer)

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

    def abandon(self, request_ids: Collection[int]) -> None:
        """As cancel; a host that works on one of them is replaced, and other requests lose nothing
        but the time of the batch.
        """
        with self._lock:
            host = self._host if self._watch.works_on(request_ids) else None
            self.cancel(request_ids)
            if host is None:
                return
            self._watch.verdict = Death(cause="its work was given up", spares_all=True)
        host.kill()

    def supervise(self) -> None:
        """Replace a host that hangs, whose reader has died, or that holds too much memory. To be
        called every few seconds.
        """
        host, reader = self._host, self._reader
        if host is None or reader is None:
            return
        if not reader.is_alive():
            if self._host is not host:  # it was buried meanwhile
                return
            log.error("The thread that reads from the speech engine has died.")
            host.kill()
            self._bury(host)
            return
        fault = self._find_fault(host)
        if fault is None:
            self._check_memory(host)
            return
        log.error("The speech engine hangs and is replaced: %s.", fault.cause)
        host.kill()

    def stop(self) -> None:
        """End the host; pending requests are answered with HostCrash."""
        self._stopped = True
        if host := self._host:
            host.kill()  # who sends to a host that reads nothing holds the lock until it is dead
        with self._lock:
            host = self._host  # it may have been started meanwhile
        if host:
            host.kill()
            host.channel.close()

    def _find_fault(self, host: RunningHost) -> Death | None:
        stopped = host.pid is not None and is_stopped(host.pid)
        # Who sends to a host that reads nothing holds the lock, and nothing changes meanwhile.
        locked = self._lock.acquire(timeout=LOCK_S)
        try:
            if self._host is not host:
                return None
            fault = self._watch.fault(self._limits, is_stopped=stopped, owes=bool(self._pending))
            self._watch.verdict = self._watch.verdict or fault
            return fault
        finally:
            if locked:
                self._lock.release()

    def _answer_to(self, request: Request) -> Answer:
        future: Future[Answer] = Future()
        self.submit(request, lambda _request_id, answer: future.set_result(answer))
        return future.result()

    def _check_memory(self, host: RunningHost) -> None:
        limit_bytes = self._memory_limit_bytes
        if limit_bytes is None or host.pid is None or self._watch.is_leaving:
            return
        held_bytes = own_memory_bytes(host.pid)
        figures = (
            f"{held_bytes / 1e9:.2f} GB, more than ENGINE_MEMORY_LIMIT, {limit_bytes / 1e9:.2f} GB"
        )
        with self._lock:
            if self._host is not host:  # it was replaced while its memory was looked at
                return
            self.warning = None
            if held_bytes > limit_bytes:
                self._relieve(host, figures)

    def _relieve(self, host: RunningHost, figures: str) -> None:
        now = self._clock()
        if self._relieved_at is not None and now - self._relieved_at < MEMORY_PAUSE_S:
            self.warning = (
                f"The speech engine holds {figures}, soon after it was replaced for that."
            )
            return
        log.warning("The speech engine holds %s: it is replaced after what is in work.", figures)
        self._relieved_at = now
        self._watch.is_leaving = True
        self._watch.verdict = Death(cause=f"it held {figures}", spares_all=True)
        self._watch.owes()
        self._send(host, {"op": "leave"})

    def _start(self) -> RunningHost:
        try:
            host = self._start_host()
        except (OSError, RuntimeError) as error:  # no memory or no process left; the app is ending
            raise EngineCrashed(f"The speech engine could not be started: {error}.") from error
        self._watch = HostWatch(self._clock)
        self.starts += 1
        reader = threading.Thread(
            target=self._read, args=(host,), name="engine-reader", daemon=True
        )
        try:
            reader.start()
        except RuntimeError as error:  # the system has no thread left
            host.kill()
            raise EngineCrashed(f"The speech engine could not be heard: {error}.") from error
        self._reader = reader  # before the host: `supervise` looks for a host's living reader
        self._host = host
        return host

    def _send(self, host: RunningHost, message: Message) -> None:
        if not self.is_at_work and len(self._pending) <= 1:
            self._watch.owes()  # an idle host owes nothing
        try:
            host.channel.send(message)
        except OSError:
            # The reader sees the end of the same host and answers all pending requests.
            log.debug("The speech engine ended while a request was sent.")

    def _read(self, host: RunningHost) -> None:
        """Whatever ends this thread, the host is dead afterwards, and everybody hears of it."""
        try:
            for message in host.channel.messages():
                self._receive(message)
        except (ChannelBroken, OSError):
            log.warning("The speech engine ended in the middle of a message.")
            host.kill()
        except Exception:  # what it says is no answer: another one may be lost as well
            log.exception("The speech engine cannot be understood and is replaced.")
            host.kill()
        finally:
            host.channel.stop_receiving()
            self._bury(host)

    def _receive(self, message: Message) -> None:
        with self._lock:
            self._watch.hear(message)
        if "event" in message:
            self._note(message)
            return
        request_id = message["id"]
        with self._lock:
            pending = self._pending.get(request_id)
        answer = reply_from_message(message, pending.request) if pending else None
        with self._lock:
            self._pending.pop(request_id, None)
            self._watch.answered(request_id)
            self._crashes_in_a_row = 0
        if pending and answer:  # else it was cancelled
            pending.on_answer(request_id, answer)

    def _note(self, message: Message) -> None:
        match message["event"]:
            case "batch":
                with self._lock:
                    self._watch.begin(message["lane"], message["ids"])
                kill_points.reached("mid-window")
            case "loading":
                self._watch.loading = message["model"]
            case "models":
                self._watch.loading = None
                self.models = [ModelKey(*key) for key in message["loaded"]]
                self.gpu_free_bytes = message.get("gpu_free_bytes")
                self.batch_size = message.get("batch_size", 0)
                self.gpu = GpuStatus.from_message(message["gpu"]) if "gpu" in message else None

    def _bury(self, host: RunningHost) -> None:
        """Answer what was pending; harmless a second time."""
        own_death = host.death()
        host.channel.close()
        death = self._watch.verdict or own_death
        with self._lock:
            if self._host is not host:
                return
            pending, self._pending = self._pending, {}
            blames = {request_id: self._watch.blame(request_id, death) for request_id in pending}
            self._host = self.warning = None
            self.models, self.gpu_free_bytes, self.gpu = [], None, None
            if not (self._stopped or death.spares_all):
                self._crashes_in_a_row += 1
                self._last_crash = (self._clock(), death.cause)
        if not self._stopped:
            log.error("The speech engine's process ended: %s", death.cause)
        for request_id, one in pending.items():
            crash = HostCrash(cause=death.cause, blame=blames[request_id], kind=death.kind)
            try:
                one.on_answer(request_id, crash)
            except Exception:  # the others must hear of it too
                log.exception("Request %d was not told of the engine's end.", request_id)
