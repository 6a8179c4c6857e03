"""A converted model is made once, kept whole, and made anew when something under it changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from voice_transcriber.engines.conversions import Conversions, conversions_of, remove_conversions
from voice_transcriber.errors import DiskFull, ModelDamaged, ModelUnavailable


class Converter:
    """Copies the checkpoint, and counts."""

    def __init__(self, checkpoint: Path) -> None:
        self.checkpoint = checkpoint
        self.count = 0

    def __call__(self, folder: Path) -> None:
        self.count += 1
        (folder / "model.bin").write_bytes(self.checkpoint.read_bytes())


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "base.pt"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def converter(checkpoint: Path) -> Converter:
    return Converter(checkpoint)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def ensure(folder: Path, checkpoint: Path, converter: Converter) -> Callable[..., Path]:
    """As after a new start of the program."""

    def ensured(version: str = "1", *, anew: bool = False, free: int = 10**9) -> Path:
        conversions = Conversions(folder, converter=version, free_bytes=lambda _: free)
        return conversions.ensure(checkpoint, converter, anew=anew)

    return ensured


def test_a_checkpoint_is_converted_once(ensure: Callable[..., Path], converter: Converter) -> None:
    assert ensure() == ensure()
    assert converter.count == 1


def test_another_checkpoint_of_that_name_is_converted_anew(
    ensure: Callable[..., Path], checkpoint: Path, folder: Path
) -> None:
    ensure()
    checkpoint.write_bytes(b"other weights")
    assert (ensure() / "model.bin").read_bytes() == b"other weights"
    assert len(list(conversions_of(checkpoint, folder))) == 1


def test_a_touched_file_of_the_same_content_is_not(
    ensure: Callable[..., Path], checkpoint: Path, converter: Converter
) -> None:
    ensure()
    os.utime(checkpoint, (1, 1))
    ensure()
    assert converter.count == 1


def test_another_version_of_the_converter_converts_anew(
    ensure: Callable[..., Path], converter: Converter
) -> None:
    assert ensure("1") == ensure("2")
    assert converter.count == 2


@pytest.mark.parametrize("damage", ["cut", "gone", "no note"])
def test_a_folder_that_is_not_whole_is_made_anew(
    ensure: Callable[..., Path], converter: Converter, damage: str
) -> None:
    model = ensure() / "model.bin"
    if damage == "cut":
        model.write_bytes(b"wei")
    else:
        (model if damage == "gone" else model.with_name("conversion.json")).unlink()
    assert (ensure() / "model.bin").read_bytes() == b"weights"
    assert converter.count == 2


def test_what_cannot_be_used_is_made_anew_on_demand(
    ensure: Callable[..., Path], converter: Converter
) -> None:
    ensure()
    ensure(anew=True)
    assert converter.count == 2


def test_a_conversion_that_fails_leaves_nothing(folder: Path, checkpoint: Path) -> None:
    def fail(part: Path) -> None:
        (part / "model.bin").write_bytes(b"half")
        raise ModelDamaged

    with pytest.raises(ModelDamaged):
        Conversions(folder, converter="1").ensure(checkpoint, fail)
    assert list(conversions_of(checkpoint, folder)) == []


def test_what_a_crash_left_is_removed(
    ensure: Callable[..., Path], folder: Path, checkpoint: Path
) -> None:
    (folder / "base.ct2-000000000000.part").mkdir(parents=True)
    (folder / "base.en.ct2-000000000000").mkdir()  # another model's
    assert list(conversions_of(checkpoint, folder)) != [ensure()]
    assert list(conversions_of(checkpoint, folder)) == [ensure()]
    assert (folder / "base.en.ct2-000000000000").is_dir()


def test_a_full_disk_is_named_before_anything_is_written(
    ensure: Callable[..., Path], converter: Converter
) -> None:
    with pytest.raises(DiskFull, match=r"base\.pt"):
        ensure(free=10**6)
    assert converter.count == 0


def test_a_folder_that_cannot_be_written_is_named(checkpoint: Path, converter: Converter) -> None:
    with pytest.raises(ModelUnavailable, match=r"base\.pt could not be written") as caught:
        Conversions(checkpoint / "models", converter="1").ensure(checkpoint, converter)
    assert "WHISPER_MODEL_DIR" in caught.value.remedy


def test_who_comes_while_it_is_converted_waits_for_it(
    ensure: Callable[..., Path], folder: Path, checkpoint: Path, converter: Converter
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(part: Path) -> None:
        begun.set()
        assert go_on.wait(10)
        converter(part)

    first = threading.Thread(
        target=Conversions(folder, converter="1").ensure, args=(checkpoint, slow)
    )
    second = threading.Thread(target=ensure)
    first.start()
    assert begun.wait(10)
    second.start()
    second.join(0.2)
    assert second.is_alive()
    go_on.set()
    first.join(10)
    second.join(10)
    assert converter.count == 1


def test_conversions_go_with_their_checkpoint(
    ensure: Callable[..., Path], folder: Path, checkpoint: Path
) -> None:
    ensure()
    remove_conversions(checkpoint, folder)
    assert list(conversions_of(checkpoint, folder)) == []
