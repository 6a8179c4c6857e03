"""The engine's loop on a GPU whose memory is scripted: smaller batches, the CPU, and back."""

from __future__ import annotations

import logging
import queue
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from tests.recordings import tone, write_pcm
from tests.running import until
from tests.unit.engines.hosts import OPTIONS, PATIENCE_S, started_with, stop, window
from tests.unit.engines.small_gpu import SmallGpu
from voice_transcriber.engines import model_desk
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.engines.client import EngineClient
from voice_transcriber.engines.footprint import needed_bytes, window_bytes
from voice_transcriber.engines.gpu_policy import DeviceMemory, GpuPolicy, GpuState
from voice_transcriber.engines.model_desk import Memory
from voice_transcriber.engines.protocol import ON_GPU, Place, WindowReply
from voice_transcriber.engines.registry import ENGINES, EngineEntry
from voice_transcriber.errors import GpuFailed, TranscriberError

TOTAL_BYTES = 10**12
KEPT_BYTES = TOTAL_BYTES // 10  # above the threshold
FILE_BYTES = DEMO_FILE.stat().st_size
EACH_BYTES = window_bytes(FILE_BYTES, compute_type="float16")
BATCH = 4


class Bench:
    """A client of a host on a GPU; the test says how much of its memory is free."""

    def __init__(self, pcm: Path) -> None:
        self.free_bytes = TOTAL_BYTES
        self.fault: TranscriberError | None = None
        self._place: Place | None = None
        self._pcm = str(pcm)
        memory = Memory(
            cpu_free_bytes=lambda: TOTAL_BYTES,
            gpu=self._memory,
        )
        options = replace(OPTIONS, engine="small-gpu", batch_size=BATCH)
        self.client = EngineClient(lambda: started_with(options, place=ON_GPU, memory=memory))

    def _memory(self) -> DeviceMemory:
        if self.fault:
            raise self.fault
        return DeviceMemory(free_bytes=self.free_bytes, total_bytes=TOTAL_BYTES)

    def has_room_for(self, windows: int) -> None:
        self.free_bytes = KEPT_BYTES + windows * EACH_BYTES + EACH_BYTES // 2

    def decode(self, *, windows: int = BATCH) -> list[str]:
        """The texts of so many windows, in their order; they are decoded together if they can."""
        answers: dict[int, WindowReply] = {}
        came: queue.SimpleQueue[None] = queue.SimpleQueue()

        def take(request_id: int, answer: object) -> None:
            assert isinstance(answer, WindowReply), answer
            answers[request_id] = answer
            came.put(None)

        ids = []
        for second in range(windows):
            request = window(self._pcm, start_s=second, end_s=second + 1)
            ids.append(self.client.submit(request, take))
        for _ in ids:
            came.get(timeout=PATIENCE_S)
        self._place = answers[ids[-1]].place
        return [answers[one].segments[0].text for one in ids]

    @property
    def state(self) -> GpuState | None:
        return self.client.gpu.state if self.client.gpu else None

    @property
    def note(self) -> str | None:
        """Of the place that the last window was decoded on."""
        return self._place.note if self._place else None


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    entry = replace(ENGINES["fake"], engine="tests.unit.engines.small_gpu:SmallGpu")
    monkeypatch.setitem(cast(dict[str, EngineEntry], ENGINES), "small-gpu", entry)
    monkeypatch.setattr(model_desk, "give_back_memory", lambda device: None)  # there is no CUDA
    monkeypatch.setattr(SmallGpu, "room", BATCH)
    monkeypatch.setattr(SmallGpu, "decoded", [])
    sounds = [tone(1, pitch_hz=200 + 100 * second) for second in range(BATCH)]
    bench = Bench(write_pcm(tmp_path / "audio.pcm", np.concatenate(sounds)))
    yield bench
    stop(bench.client)


@pytest.fixture
def texts(bench: Bench) -> list[str]:
    """Of the windows, decoded where nothing is short; the model is loaded then."""
    found = bench.decode()
    SmallGpu.decoded.clear()
    return found


def test_a_gpu_with_room_takes_full_batches(bench: Bench, texts: list[str]) -> None:
    assert bench.decode() == texts
    assert len(set(texts)) == BATCH
    assert {device for device, _ in SmallGpu.decoded} == {"cuda"}
    assert (bench.state, bench.note) == (GpuState.GPU, None)


def test_a_batch_that_memory_does_not_suffice_for_runs_by_halves(
    bench: Bench, texts: list[str]
) -> None:
    SmallGpu.room = 2
    assert bench.decode() == texts
    assert SmallGpu.decoded == [("cuda", 2), ("cuda", 2)]
    assert bench.state is GpuState.SMALL_BATCH
    assert bench.note == "The GPU's memory has room for 2 windows together, of 4."


def test_the_smaller_size_is_remembered(bench: Bench, texts: list[str]) -> None:
    SmallGpu.room = 2
    bench.decode()
    SmallGpu.room = BATCH
    SmallGpu.decoded.clear()
    assert bench.decode() == texts
    assert max(count for _, count in SmallGpu.decoded) == 2


def test_memory_that_others_take_makes_batches_smaller_before_anything_fails(
    bench: Bench, texts: list[str]
) -> None:
    bench.has_room_for(1)
    assert bench.decode() == texts
    assert SmallGpu.decoded == [("cuda", 1)] * BATCH
    assert bench.state is GpuState.SMALL_BATCH


def test_memory_that_is_free_again_makes_batches_larger_at_once(
    bench: Bench, texts: list[str]
) -> None:
    bench.has_room_for(2)
    bench.decode()
    bench.has_room_for(BATCH)
    SmallGpu.decoded.clear()
    bench.decode()
    until(lambda: bench.state is GpuState.GPU)
    assert bench.note is None


def test_a_gpu_above_the_threshold_is_left_for_the_cpu(bench: Bench, texts: list[str]) -> None:
    bench.has_room_for(0)
    assert bench.decode() == texts
    assert {device for device, _ in SmallGpu.decoded} == {"cpu"}
    assert bench.state is GpuState.CPU
    assert "90% of the GPU's memory is in use" in str(bench.note)
    assert bench.client.gpu is not None
    assert bench.client.gpu.reason == bench.note


def test_one_window_for_which_memory_does_not_suffice_is_decoded_on_the_cpu(
    bench: Bench, texts: list[str]
) -> None:
    SmallGpu.room = 0
    assert bench.decode() == texts
    assert SmallGpu.decoded[-1] == ("cpu", BATCH)
    assert "not enough memory" in str(bench.note)


def test_it_goes_back_to_the_gpu_when_that_has_room(
    bench: Bench, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GpuPolicy, "is_time_to_look", lambda policy: True)
    bench.has_room_for(0)
    bench.decode()
    assert bench.state is GpuState.CPU
    bench.free_bytes = KEPT_BYTES + needed_bytes(
        FILE_BYTES, batch_size=BATCH, compute_type="float16"
    )
    SmallGpu.decoded.clear()
    assert bench.decode() == texts
    assert {device for device, _ in SmallGpu.decoded} == {"cuda"}
    assert (bench.state, bench.note) == (GpuState.GPU, None)


def test_it_stays_on_the_cpu_while_the_gpu_is_full(
    bench: Bench, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GpuPolicy, "is_time_to_look", lambda policy: True)
    bench.has_room_for(0)
    bench.decode()
    assert bench.decode() == texts
    assert {device for device, _ in SmallGpu.decoded} == {"cpu"}


def test_a_gpu_that_cannot_tell_its_memory_any_more_is_left(bench: Bench, texts: list[str]) -> None:
    bench.fault = GpuFailed("The GPU failed: CUDA error: unspecified launch failure.")
    assert bench.decode() == texts
    assert {device for device, _ in SmallGpu.decoded} == {"cpu"}
    assert bench.client.gpu_free_bytes is None
    assert "unspecified launch failure" in str(bench.note)
