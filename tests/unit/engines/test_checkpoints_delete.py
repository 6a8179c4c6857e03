"""Deleting models from the folder."""

from pathlib import Path

import pytest
from filelock import FileLock

from voice_transcriber.engines.checkpoints import Checkpoints
from voice_transcriber.errors import NotFound, UnknownModel, WrongState


@pytest.fixture
def models(tmp_path: Path) -> Checkpoints:
    for name in ("base.pt", "large-v3.pt", "small.pt.part", "mine.pt"):
        (tmp_path / name).write_bytes(b"weights")
    return Checkpoints(tmp_path)


def test_a_deleted_model_can_be_downloaded_again(models: Checkpoints) -> None:
    models.delete("base")
    model = models.resolve("base")
    assert (model.present, model.downloadable) == (False, True)


def test_a_model_goes_under_any_of_its_names(models: Checkpoints) -> None:
    models.delete("large")
    assert not models.resolve("large-v3").present


def test_what_came_of_a_broken_download_goes_too(models: Checkpoints, tmp_path: Path) -> None:
    models.delete("small")
    assert not (tmp_path / "small.pt.part").exists()


def test_a_file_of_ones_own_goes_only_when_it_is_said(models: Checkpoints, tmp_path: Path) -> None:
    with pytest.raises(WrongState, match="your own file"):
        models.delete("mine")
    assert (tmp_path / "mine.pt").exists()
    models.delete("mine", own=True)
    assert not (tmp_path / "mine.pt").exists()


def test_the_demo_stays(models: Checkpoints) -> None:
    with pytest.raises(WrongState, match="part of the program"):
        models.delete("demo", own=True)


def test_what_is_not_there_is_told(models: Checkpoints) -> None:
    with pytest.raises(NotFound):
        models.delete("tiny")
    with pytest.raises(UnknownModel):
        models.delete("giant")


def test_a_download_in_work_is_not_disturbed(models: Checkpoints, tmp_path: Path) -> None:
    with FileLock(tmp_path / "small.pt.lock"), pytest.raises(WrongState, match="downloaded"):
        models.delete("small")
    assert (tmp_path / "small.pt.part").exists()


def test_what_a_model_was_converted_to_goes_with_it(models: Checkpoints, tmp_path: Path) -> None:
    for name in ("base.ct2-0123456789ab", "base.en.ct2-0123456789ab"):
        (tmp_path / name).mkdir()
    models.delete("base")
    assert [path.name for path in tmp_path.glob("*.ct2-*")] == ["base.en.ct2-0123456789ab"]
