"""A host that is real in its channel and says what the test makes it say, and a client of such."""

from __future__ import annotations

import queue
import threading

from tests.running import until
from tests.unit.engines.requests import window_request
from voice_transcriber.engines.client import Answer, EngineClient, HostCrash
from voice_transcriber.engines.host_watch import Blame, Death, WatchLimits
from voice_transcriber.engines.protocol import WindowReply, reply_to_message
from voice_transcriber.processes.channel import Message, channel_pair

PATIENCE_S = 20.0
LIMITS = WatchLimits()
REPLY = WindowReply(segments=(), resume_sample=None)


class ScriptedHost:
    """A host that reads its requests into a queue and answers nothing by itself."""

    pid = None

    def __init__(self) -> None:
        self.channel, self._own = channel_pair()
        self.heard: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.was_killed = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def say(self, *messages: Message) -> None:
        for message in messages:
            self._own.send(message)

    def work_on(self, *ids: int, lane: str = "windows") -> None:
        self.say({"event": "batch", "lane": lane, "ids": list(ids)})

    def answer(self, *ids: int) -> None:
        self.say(*(reply_to_message(one, REPLY) for one in ids))

    def die(self) -> None:
        self._own.close()

    def kill(self) -> None:
        self.was_killed.set()
        self.die()

    def death(self) -> Death:
        self.die()
        return Death(cause="the script ended")

    def _listen(self) -> None:
        for message in self._own.messages():
            self.heard.put(message)


class Office:
    """A client, the hosts that it started, and the answers that came."""

    def __init__(self) -> None:
        self.hosts: list[ScriptedHost] = []
        self.now_s = 0.0
        self.client = EngineClient(self._start, clock=lambda: self.now_s)
        self._answers: queue.SimpleQueue[tuple[int, Answer]] = queue.SimpleQueue()

    def _start(self) -> ScriptedHost:
        self.hosts.append(ScriptedHost())
        return self.hosts[-1]

    @property
    def host(self) -> ScriptedHost:
        return self.hosts[-1]

    def submit(self, *, count: int = 1) -> list[int]:
        return [
            self.client.submit(window_request(), lambda *answer: self._answers.put(answer))
            for _ in range(count)
        ]

    def next(self) -> tuple[int, Answer]:
        return self._answers.get(timeout=PATIENCE_S)

    def blames(self, *, count: int) -> dict[int, Blame]:
        answers = dict(self.next() for _ in range(count))
        return {one: found.blame for one, found in answers.items() if isinstance(found, HostCrash)}

    def beat(self, steps: int) -> None:
        """Heard by the client when this returns."""
        self.host.say({"event": "beat", "steps": steps})
        watch = self.client._watch
        until(lambda: (watch._steps, watch._beat_at) == (steps, self.now_s))

    @property
    def has_answers(self) -> bool:
        return not self._answers.empty()
