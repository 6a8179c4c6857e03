"""Where transcripts go, and that nothing is lost there."""

from pathlib import Path

import pytest

from voice_transcriber.cli.inputs import Recording
from voice_transcriber.cli.outputs import plan_outputs, write_output
from voice_transcriber.errors import InvalidRequest


def recording(path: str, relative: str | None = None) -> Recording:
    return Recording(Path(path), Path(relative or Path(path).name))


def planned(*recordings: Recording, output: str | None = None, formats: str = "txt") -> list[str]:
    works = plan_outputs(
        recordings, formats=formats.split(","), folder=None if output is None else Path(output)
    )
    return [str(path) for work in works for path in work.targets.values()]


def test_a_transcript_lies_beside_its_recording() -> None:
    assert planned(recording("in/talk.mp3"), formats="txt,srt") == ["in/talk.txt", "in/talk.srt"]


def test_dots_in_a_name_stay() -> None:
    assert planned(recording("v1.2 final.mp3")) == ["v1.2 final.txt"]


def test_an_output_folder_keeps_the_folders_below_the_one_that_was_given() -> None:
    assert planned(recording("in/day/talk.mp3", "day/talk.mp3"), output="out") == [
        "out/day/talk.txt"
    ]


def test_recordings_that_differ_by_their_ending_keep_it() -> None:
    assert planned(recording("a.mp3"), recording("a.wav"), recording("b.wav")) == [
        "a.mp3.txt",
        "a.wav.txt",
        "b.txt",
    ]


def test_two_recordings_never_share_a_file() -> None:
    with pytest.raises(InvalidRequest, match="would both be written"):
        planned(recording("one/a.mp3"), recording("two/a.mp3"), output="out")


def test_a_recording_is_never_written_over() -> None:
    with pytest.raises(InvalidRequest, match="is a recording"):
        planned(recording("talk.txt"))


def test_an_existing_file_stays_unless_it_may_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        write_output(path, b"new", replace=False)
    assert path.read_text() == "mine"
    write_output(path, b"new", replace=True)
    assert path.read_text() == "new"


def test_folders_are_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_output(tmp_path / "out" / "day" / "talk.txt", b"text", replace=False)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["talk.txt"]


def test_a_file_that_cannot_be_finished_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "talk.txt").mkdir()
    with pytest.raises(OSError, match=r"talk\.txt"):
        write_output(tmp_path / "talk.txt", b"text", replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["talk.txt"]
