"""The engine's loop with the fake engine: in a thread, and in a process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.recordings import poison, tone, write_pcm
from tests.unit.engines.hosts import OPTIONS, stop
from voice_transcriber.engines.child import HostStarter, process_starter, thread_starter
from voice_transcriber.engines.client import EngineClient
from voice_transcriber.processes.spawn import Spawner


@pytest.fixture
def in_process(tmp_path: Path) -> Iterator[HostStarter]:
    spawner = Spawner()
    yield process_starter(spawner, OPTIONS, tmp_path / "engine.log")
    spawner.stop()


@pytest.fixture
def process(in_process: HostStarter) -> Iterator[EngineClient]:
    client = EngineClient(in_process)
    yield client
    stop(client)


@pytest.fixture(params=["thread", "process"])
def client(request: pytest.FixtureRequest) -> Iterator[EngineClient]:
    if request.param == "process":
        yield request.getfixturevalue("process")
        return
    client = EngineClient(thread_starter(OPTIONS))
    yield client
    stop(client)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


@pytest.fixture
def pcm(tmp_path: Path) -> str:
    """Ten seconds of sound, one that ends the engine, twenty of sound."""
    samples = np.concatenate([tone(10), poison(1), tone(20, pitch_hz=300)])
    return str(write_pcm(tmp_path / "audio.pcm", samples))
