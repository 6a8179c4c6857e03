"""At most so many models in memory; the least recently used goes first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.makers import Clock
from voice_transcriber.engines.base import Model
from voice_transcriber.engines.fake import FakeModel
from voice_transcriber.engines.model_cache import ModelCache, Room
from voice_transcriber.engines.protocol import ON_CPU
from voice_transcriber.errors import ModelDamaged, ModelTooLarge

PATH = Path("any.pt")


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
            free_bytes=lambda device: memory_bytes - 100 * len(self.names),
            needed_bytes=lambda checkpoint, device: 100,
            least_bytes=lambda checkpoint, device: 60,
        )
        super().__init__(
            self.engine,
            size=size,
            place=ON_CPU,
            room=room,
            clock=clock or Clock(),
        )

    def use(self, *names: str) -> None:
        for name in names:
            self.get(name, PATH)


def test_a_model_is_loaded_once() -> None:
    cache = Cache()
    assert cache.get("base", PATH) is cache.get("base", PATH)
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
    assert cache.drop_idle(idle_s=60) == ["base"]
    assert "base" not in cache
    assert "small" in cache


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
    cache.get("base", checkpoint)
    cache.drop_replaced("base", checkpoint)
    assert cache.names == ["base"]
    (tmp_path / "new.pt").write_bytes(b"new")
    (tmp_path / "new.pt").replace(checkpoint)
    cache.drop_replaced("base", checkpoint)
    assert cache.names == []


def test_a_model_whose_file_was_deleted_stays(tmp_path: Path) -> None:
    checkpoint, cache = tmp_path / "base.pt", Cache()
    checkpoint.write_bytes(b"old")
    cache.get("base", checkpoint)
    checkpoint.unlink()
    cache.drop_replaced("base", checkpoint)
    assert cache.names == ["base"]
