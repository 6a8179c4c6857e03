"""Hosts of the fake engine, what a test asks of them, and how it ends them."""

from __future__ import annotations

import threading
from typing import Any

from tests.running import until
from tests.unit.engines.requests import window_request
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.engines.child import RunningHost
from voice_transcriber.engines.client import EngineClient
from voice_transcriber.engines.gpu_policy import DeviceMemory
from voice_transcriber.engines.host import EngineHost
from voice_transcriber.engines.host_watch import Death
from voice_transcriber.engines.model_desk import Memory
from voice_transcriber.engines.protocol import (
    HostOptions,
    LanguageRequest,
    Place,
    PlanRequest,
    WindowReply,
    WindowRequest,
)
from voice_transcriber.job import SAMPLE_RATE
from voice_transcriber.processes.channel import Channel, channel_pair

OPTIONS = HostOptions(
    engine="fake",
    threads=1,
    batch_size=4,
    model_cache_size=2,
    use_gpu=False,
    free_memory_early=False,
)
PATIENCE_S = 30.0
POISONED_S = 10  # of the recording the eleventh second ends the fake engine


class ThreadedHost:
    """The loop in threads of the test."""

    pid = None

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    def kill(self) -> None:
        self.channel.close()

    def death(self) -> Death:
        return Death(cause="the test ended")


def started(options: HostOptions, *, place: Place, free_bytes: int) -> RunningHost:
    """A host on another place, or with other memory, than this machine's."""
    memory = Memory(
        cpu_free_bytes=lambda: free_bytes,
        gpu=lambda: DeviceMemory(free_bytes=free_bytes, total_bytes=free_bytes),
    )
    return started_with(options, place=place, memory=memory)


def started_with(options: HostOptions, *, place: Place, memory: Memory) -> RunningHost:
    ours, theirs = channel_pair()
    host = EngineHost(theirs, options, place=place, memory=memory)

    def compute() -> None:
        host.run()
        theirs.close()

    for task in (host.read, compute):
        threading.Thread(target=task, daemon=True).start()
    return ThreadedHost(ours)


def stop(client: EngineClient) -> None:
    client.stop()
    until(lambda: not client.is_running)


def window(pcm: str, *, start_s: int = 0, end_s: int = POISONED_S, **changes: Any) -> WindowRequest:
    return window_request(
        pcm=pcm,
        checkpoint=str(DEMO_FILE),
        start=start_s * SAMPLE_RATE,
        end=end_s * SAMPLE_RATE,
        speech_end=end_s * SAMPLE_RATE,
        **changes,
    )


def poisoned(pcm: str, **changes: Any) -> WindowRequest:
    return window(pcm, start_s=POISONED_S, end_s=POISONED_S + 1, **changes)


def transcribed(client: EngineClient, request: WindowRequest) -> WindowReply:
    reply = client.call(request)
    assert isinstance(reply, WindowReply)
    return reply


def question(pcm: str, **changes: Any) -> LanguageRequest:
    """For the language of its first second."""
    values: dict[str, Any] = {
        "pcm": pcm,
        "model": "demo",
        "checkpoint": str(DEMO_FILE),
        "gain": 1.0,
        "windows": [(0, SAMPLE_RATE)],
    }
    return LanguageRequest(**values | changes)


def short_plan(pcm: str) -> PlanRequest:
    """Of a second."""
    return PlanRequest(
        pcm=pcm, start=0, limit=SAMPLE_RATE, is_last=True, vad_filter=True, level=False
    )
