"""At most so many models in memory; the least recently used goes first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.makers import Clock
from tests.unit.engines.engines_of import EnginesOf
from voice_transcriber.engines.base import Model
from voice_transcriber.engines.fake import FakeModel
from voice_transcriber.engines.model_cache import ModelCache, Room
from voice_transcriber.engines.protocol import ON_CPU, ModelKey
from voice_transcriber.errors import ModelDamaged, ModelTooLarge

PATH = Path("any.pt")
BASE = ModelKey("base")
BASE_OF_OTHER = ModelKey("base", "faster-whisper")


class Shelf:
    """An engine that tells what was loaded; the model `broken` cannot be."""

    def __init__(self) -> None:
        self.loaded: list[str] = []

    def load(self, checkpoint: Path, *, size: str, device: str, compute_type: str) -> Model:
        if size == "broken":
            raise ModelDamaged
        self.loaded.append(size)
        return FakeModel()


class Cache(ModelCache):
    """Each model takes 100 bytes of `memory_bytes`; with 60 it works in small batches."""

    def __init__(
        self, *, size: int = 2, clock: Clock | None = None, memory_bytes: int = 1000
    ) -> None:
        self.engine = Shelf()
        room = Room(
            free_bytes=lambda device: memory_bytes - 100 * len(self.keys),
            needed_bytes=lambda checkpoint, place: 100,
            least_bytes=lambda checkpoint, place: 60,
        )
        super().__init__(
            EnginesOf(self.engine),
            size=size,
            place=ON_CPU,
            room=room,
            clock=clock or Clock(),
        )

    def use(self, *names: str) -> None:
        for name in names:
            self.get(ModelKey(name), PATH)

    @property
    def names(self) -> list[str]:
        return [str(key) for key in self.keys]


def test_a_model_is_loaded_once() -> None:
    cache = Cache()
    assert cache.get(BASE, PATH) is cache.get(BASE, PATH)
    assert cache.engine.loaded == ["base"]


def test_the_least_recently_used_model_makes_room() -> None:
    cache = Cache()
    cache.use("base", "small", "base", "tiny")
    assert cache.names == ["base", "tiny"]


def test_a_model_that_went_is_loaded_again() -> None:
    cache = Cache(size=1)
    cache.use("base", "small", "base")
    assert cache.engine.loaded == ["base", "small", "base"]


def test_room_is_made_before_the_next_model_is_loaded() -> None:
    """Never three in memory, not even for a moment: the third one is not there when it fails."""
    cache = Cache()
    cache.use("base", "small")
    with pytest.raises(ModelDamaged):
        cache.use("broken")
    assert cache.names == ["small"]


def test_a_model_that_nobody_used_for_long_is_let_go() -> None:
    clock = Clock()
    cache = Cache(clock=clock)
    cache.use("base", "small")
    clock.now += 60
    cache.use("small")
    assert cache.drop_idle(idle_s=60) == [BASE]
    assert BASE not in cache
    assert ModelKey("small") in cache


def test_no_model_is_idle_before_its_time() -> None:
    clock = Clock()
    cache = Cache(clock=clock)
    cache.use("base")
    clock.now += 59
    assert cache.drop_idle(idle_s=60) == []


def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded() -> None:
    cache = Cache(memory_bytes=59)
    with pytest.raises(ModelTooLarge, match=r"base needs about .* GB of memory; .* GB are free"):
        cache.use("base")
    assert cache.engine.loaded == []


def test_a_model_that_fits_with_small_batches_only_is_loaded() -> None:
    cache = Cache(memory_bytes=60)
    cache.use("base")
    assert cache.engine.loaded == ["base"]


def test_another_model_makes_room_when_memory_is_short() -> None:
    cache = Cache(memory_bytes=199)
    cache.use("base", "small")
    assert cache.names == ["small"]


def test_a_model_whose_file_was_replaced_is_let_go(tmp_path: Path) -> None:
    checkpoint, cache = tmp_path / "base.pt", Cache()
    checkpoint.write_bytes(b"old")
    cache.get(BASE, checkpoint)
    cache.drop_replaced(BASE, checkpoint)
    assert cache.names == ["base"]
    (tmp_path / "new.pt").write_bytes(b"new")
    (tmp_path / "new.pt").replace(checkpoint)
    cache.drop_replaced(BASE, checkpoint)
    assert cache.names == []


def test_a_model_whose_file_was_deleted_stays(tmp_path: Path) -> None:
    checkpoint, cache = tmp_path / "base.pt", Cache()
    checkpoint.write_bytes(b"old")
    cache.get(BASE, checkpoint)
    checkpoint.unlink()
    cache.drop_replaced(BASE, checkpoint)
    assert cache.names == ["base"]


def test_a_model_of_two_engines_is_in_memory_twice_and_counts_twice() -> None:
    cache = Cache()
    cache.use("small", "base")
    assert cache.get(BASE_OF_OTHER, PATH) is not cache.get(BASE, PATH)
    assert cache.engine.loaded == ["small", "base", "base"]
    assert cache.names == ["base (faster-whisper)", "base"]


def test_each_engine_computes_with_what_it_has() -> None:
    cache = Cache()
    cache.get(BASE, PATH)
    cache.get(BASE_OF_OTHER, PATH)
    found = {key: (place.engine, place.compute_type) for key, place in cache.places.items()}
    assert found == {BASE: (None, "float32"), BASE_OF_OTHER: ("faster-whisper", "int8")}


def test_a_file_that_was_replaced_is_loaded_anew_for_each_engine(tmp_path: Path) -> None:
    checkpoint, cache = tmp_path / "base.pt", Cache()
    checkpoint.write_bytes(b"old")
    cache.get(BASE, checkpoint)
    cache.get(BASE_OF_OTHER, checkpoint)
    (tmp_path / "new.pt").write_bytes(b"new")
    (tmp_path / "new.pt").replace(checkpoint)
    cache.drop_replaced(BASE, checkpoint)
    assert cache.keys == [BASE_OF_OTHER]
    cache.drop_replaced(BASE_OF_OTHER, checkpoint)
    assert cache.keys == []
