"""What the GPU cannot do, the CPU does, and it is told why. The GPU of these tests is scripted."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.unit.engines.engines_of import EnginesOf
from voice_transcriber.engines.base import Features, Model, Samples
from voice_transcriber.engines.fake import FakeModel
from voice_transcriber.engines.model_cache import ModelCache, Room
from voice_transcriber.engines.protocol import ON_CPU, ON_GPU, ModelKey
from voice_transcriber.errors import (
    EngineOutOfMemory,
    GpuFailed,
    ModelDamaged,
    ModelTooLarge,
    TranscriberError,
)

PATH = Path("any.pt")
BASE, SMALL, TINY = map(ModelKey, ("base", "small", "tiny"))
BROKEN = GpuFailed("The GPU failed: CUDA error: unspecified launch failure.")
FULL = EngineOutOfMemory("There is not enough memory for the model base.")


class Computer:
    """An engine on a GPU that loads nothing while it has a fault."""

    def __init__(self, fault: TranscriberError | None = None) -> None:
        self.fault = fault
        self.tried: list[tuple[str, str]] = []
        self.on_gpu: list[weakref.ref[Model]] = []
        self.held = 0  # models that the GPU had when the CPU took one

    def load(self, checkpoint: Path, *, size: str, device: str, compute_type: str) -> Model:
        self.tried.append((device, compute_type))
        if device == "cuda":
            return self._load_on_gpu()
        self.held = sum(model() is not None for model in self.on_gpu)
        return ModelOn(device)

    def _load_on_gpu(self) -> Model:
        model = ModelOn("cuda")
        self.on_gpu.append(weakref.ref(model))
        if self.fault:
            raise type(self.fault)(self.fault.message)
        return model


class ModelOn(FakeModel):
    def __init__(self, device: str) -> None:
        self.device = device

    def encode(self, windows: Sequence[Samples]) -> list[Features]:
        return list(super().encode(windows))


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


def room_of(memory: Mapping[str, int]) -> Room:
    return Room(
        free_bytes=memory.__getitem__,
        needed_bytes=lambda checkpoint, place: 100,
        least_bytes=lambda checkpoint, place: 100,
    )


def cache_on_gpu(
    computer: Computer, *, gpu_bytes: int = 1000, cpu_bytes: int = 1000, size: int = 2
) -> ModelCache:
    """A model takes 100 bytes wherever it is."""
    memory = {"cuda": gpu_bytes, "cpu": cpu_bytes}
    room = room_of(memory)
    return ModelCache(EnginesOf(computer), size=size, place=ON_GPU, room=room)


def note(cache: ModelCache, key: ModelKey) -> str:
    found = cache.places[key].note
    assert found is not None
    return found


def test_a_gpu_that_works_is_used_in_half_precision() -> None:
    computer = Computer()
    cache = cache_on_gpu(computer)
    assert cache.get(BASE, PATH).device == "cuda"
    assert computer.tried == [("cuda", "float16")]
    assert cache.places == {BASE: ON_GPU}


@pytest.mark.parametrize("fault", [BROKEN, FULL])
def test_what_the_gpu_cannot_load_is_loaded_on_the_cpu(fault: TranscriberError) -> None:
    computer = Computer(fault)
    cache = cache_on_gpu(computer)
    assert cache.get(BASE, PATH).device == "cpu"
    assert computer.tried == [("cuda", "float16"), ("cpu", "float32")]
    assert note(cache, BASE) == (
        f"The GPU could not be used: {fault.message.rstrip('.')}. The CPU was used."
    )


def test_a_model_that_has_no_room_on_the_gpu_is_loaded_on_the_cpu() -> None:
    computer = Computer()
    cache = cache_on_gpu(computer, gpu_bytes=99)
    assert cache.get(BASE, PATH).device == "cpu"
    assert computer.tried == [("cpu", "float32")]
    assert "base needs about" in note(cache, BASE)


def test_a_gpu_that_lacked_memory_is_tried_for_the_next_model() -> None:
    computer = Computer(FULL)
    cache = cache_on_gpu(computer)
    cache.get(BASE, PATH)
    computer.fault = None
    assert cache.get(TINY, PATH).device == "cuda"
    assert cache.places[BASE].device == "cpu"


def test_a_gpu_that_failed_is_given_up() -> None:
    computer = Computer(BROKEN)
    cache = cache_on_gpu(computer)
    cache.get(BASE, PATH)
    computer.fault = None
    assert cache.get(TINY, PATH).device == "cpu"
    assert cache.device == "cpu"
    assert "unspecified launch failure" in note(cache, TINY)


def test_a_model_whose_work_fails_on_the_gpu_moves_to_the_cpu() -> None:
    cache = cache_on_gpu(Computer())
    cache.get(BASE, PATH)
    assert cache.move_to_cpu(BASE, PATH, FULL).device == "cpu"
    assert cache.get(BASE, PATH).device == "cpu"
    assert "not enough memory" in note(cache, BASE)


def test_what_fails_on_the_cpu_fails() -> None:
    cache = cache_on_gpu(Computer(FULL))
    cache.get(BASE, PATH)
    with pytest.raises(EngineOutOfMemory):
        cache.move_to_cpu(BASE, PATH, FULL)


def test_a_damaged_file_is_not_the_gpus_fault() -> None:
    computer = Computer(ModelDamaged())
    with pytest.raises(ModelDamaged):
        cache_on_gpu(computer).get(BASE, PATH)
    assert computer.tried == [("cuda", "float16")]


def test_a_model_that_fits_nowhere_is_refused() -> None:
    with pytest.raises(ModelTooLarge):
        cache_on_gpu(Computer(), gpu_bytes=99, cpu_bytes=99).get(BASE, PATH)


def test_on_a_computer_without_a_gpu_nothing_needs_a_word() -> None:
    room = room_of({"cpu": 1000})
    cache = ModelCache(EnginesOf(Computer(BROKEN)), size=1, place=ON_CPU, room=room)
    cache.get(BASE, PATH)
    assert cache.places == {BASE: ON_CPU}


def test_what_a_gpu_began_to_load_is_gone_before_the_cpu_takes_it() -> None:
    computer = Computer(FULL)
    cache_on_gpu(computer).get(BASE, PATH)
    assert len(computer.on_gpu) == 1
    assert computer.held == 0


def test_a_gpu_that_failed_is_left_with_all_its_models() -> None:
    cache = cache_on_gpu(Computer())
    cache.get(TINY, PATH)
    cache.get(BASE, PATH)
    cache.move_to_cpu(BASE, PATH, BROKEN)
    assert cache.keys == [BASE]
    assert cache.get(TINY, PATH).device == "cpu"


def test_a_gpu_that_lacks_memory_keeps_its_other_models() -> None:
    cache = cache_on_gpu(Computer())
    cache.get(TINY, PATH)
    cache.get(BASE, PATH)
    cache.move_to_cpu(BASE, PATH, FULL)
    assert {key: place.device for key, place in cache.places.items()} == {
        TINY: "cuda",
        BASE: "cpu",
    }


def test_a_full_gpu_sends_no_model_out_of_the_computers_memory() -> None:
    computer = Computer(FULL)
    memory = {"cuda": 1000, "cpu": 1000}
    cache = ModelCache(EnginesOf(computer), size=3, place=ON_GPU, room=room_of(memory))
    cache.get(BASE, PATH)
    computer.fault = None
    cache.get(SMALL, PATH)
    memory["cuda"] = 99
    cache.get(TINY, PATH)
    assert cache.keys == [BASE, TINY]
