"""What FILE, FOLDER and GLOB arguments mean."""

from pathlib import Path

import pytest

from voice_transcriber.cli.inputs import find_recordings
from voice_transcriber.errors import InvalidRequest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """talks/ with recordings, one below a folder, and what is none."""
    for name in ("talks/b.MP3", "talks/a.wav", "talks/day 2/c.opus", "talks/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "talks"


def found(*arguments: Path | str) -> list[str]:
    return [str(one.relative) for one in find_recordings([str(one) for one in arguments])]


def test_a_folder_means_the_recordings_in_it_and_below(folder: Path) -> None:
    assert found(folder) == ["a.wav", "b.MP3", "day 2/c.opus"]


def test_hidden_files_and_folders_are_passed_over(folder: Path) -> None:
    (folder / ".trash").mkdir()
    (folder / ".trash" / "d.wav").touch()
    (folder / ".e.wav").touch()
    assert found(folder) == ["a.wav", "b.MP3", "day 2/c.opus"]


def test_a_named_file_is_taken_whatever_its_ending(folder: Path) -> None:
    assert found(folder / "notes.txt") == ["notes.txt"]


def test_a_pattern_that_the_shell_left_is_expanded(folder: Path) -> None:
    assert found(f"{folder}/**/*.opus", f"{folder}/*.[wW]av") == ["c.opus", "a.wav"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "a[1].wav").touch()
    assert found(tmp_path / "a[1].wav") == ["a[1].wav"]


def test_each_file_is_taken_once(folder: Path) -> None:
    assert found(folder / "a.wav", folder, folder / "a.wav") == ["a.wav", "b.MP3", "day 2/c.opus"]


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("missing.wav", "There is no file"),
        ("*.flac", "No file matches"),
        ("talks/empty", "has no recordings"),
    ],
)
def test_an_argument_that_means_nothing_is_wrong(folder: Path, argument: str, told: str) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(InvalidRequest) as refused:
        find_recordings([str(folder / "a.wav"), str(folder.parent / argument)])
    assert told in refused.value.message
