"""`transcribe` as a person runs it."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.program import Program
from tests.recordings import AUDIO, manifest, word_error_rate
from tests.running import until

SPEECH = AUDIO / "en_5s.wav"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture(params=["alone", "through a server"])
def anywhere(request: pytest.FixtureRequest, program: Program) -> Iterator[Program]:
    """The same command where it works itself, and where a server does."""
    with program.serving() if request.param != "alone" else nullcontext():
        yield program


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    """Two recordings, one of them below a folder."""
    (tmp_path / "talks" / "day 2").mkdir(parents=True)
    shutil.copy(SPEECH, tmp_path / "talks" / "one.wav")
    shutil.copy(SPEECH, tmp_path / "talks" / "day 2" / "two.wav")
    return tmp_path / "talks"


def jobs(program: Program) -> list[dict[str, object]]:
    listed = program.run("jobs", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    found: list[dict[str, object]] = json.loads(listed.stdout)
    return found


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_real_engine_writes_the_right_text(program: Program) -> None:
    program.settings["ENGINE"] = "openai-whisper"
    ended = program.run("transcribe", SPEECH, "-o", "out", "-f", "txt,srt", "--language", "english")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["out/en_5s.txt", "out/en_5s.srt"]
    text = (program.folder / "out" / "en_5s.txt").read_text()
    assert word_error_rate(manifest()["en_5s.wav"]["text"], text) < 10
    assert "1 transcribed; 0:06 of audio" in ended.stderr


def test_an_engine_is_named_for_one_command(program: Program) -> None:
    program.settings["ENGINE"] = "openai-whisper"
    ended = program.run("transcribe", SPEECH, "-o", "out", "--engine", "faster-whisper", "--keep")
    assert ended.returncode == 0, ended.stderr
    shown = program.run("jobs", "show", str(jobs(program)[0]["id"]), "--json")
    assert json.loads(shown.stdout)["performance"]["engine"] == "faster-whisper"


def test_an_engine_that_cannot_be_named_is_refused_with_what_to_do(program: Program) -> None:
    ended = program.run("transcribe", SPEECH, "-o", "out", "--engine", "faster-whisper")
    assert ended.returncode == 1
    assert "A job cannot name its engine while ENGINE is fake" in ended.stderr
    assert "Leave the engine out" in ended.stderr


def test_a_folder_is_transcribed_beside_its_recordings(anywhere: Program, talks: Path) -> None:
    ended = anywhere.run("transcribe", "talks", "-f", "txt,json")
    assert ended.returncode == 0, ended.stderr
    assert set(ended.stdout.splitlines()) == {
        "talks/one.txt",
        "talks/one.json",
        "talks/day 2/two.txt",
        "talks/day 2/two.json",
    }
    assert json.loads((talks / "one.json").read_text())["model"] == "demo"
    assert jobs(anywhere) == []


def test_a_bad_file_does_not_keep_the_good_ones_from_being_done(
    anywhere: Program, talks: Path
) -> None:
    (talks / "list.mp3").write_text("not a recording")
    ended = anywhere.run("transcribe", "talks/**/*.*", "-o", "out")
    assert ended.returncode == 1
    assert files(anywhere.folder / "out") == {"one.txt", "two.txt"}
    assert "list.mp3: The file is not audio or video" in ended.stderr
    assert "\n  Send audio or video such as wav" in ended.stderr
    assert "2 transcribed, 1 failed" in ended.stderr
    assert jobs(anywhere) == []


def test_what_is_kept_stays_in_the_list(anywhere: Program) -> None:
    ended = anywhere.run("transcribe", SPEECH, "-o", "out", "--keep", "--quiet")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "out/en_5s.txt\n", "")
    assert [(job["filename"], job["status"]) for job in jobs(anywhere)] == [
        ("en_5s.wav", "completed")
    ]


def test_ctrl_c_cancels_what_is_not_finished(anywhere: Program) -> None:
    with anywhere.started("transcribe", AUDIO / "en_12min.opus", "-o", "out") as process:
        until(lambda: list((anywhere.data_dir / "work").glob("*/*")))
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted" in told
    assert jobs(anywhere) == []
    assert files(anywhere.folder / "data" / "blobs") == set()
    assert not (anywhere.folder / "out").exists()


def test_an_existing_transcript_is_skipped_unless_forced(program: Program, talks: Path) -> None:
    (talks / "one.txt").write_text("my own")
    again = program.run("transcribe", "talks")
    assert (again.returncode, again.stdout) == (0, "talks/day 2/two.txt\n")
    assert "one.wav: skipped, talks/one.txt exists" in again.stderr
    assert (talks / "one.txt").read_text() == "my own"
    forced = program.run("transcribe", "talks/one.wav", "--force")
    assert forced.returncode == 0
    assert (talks / "one.txt").read_text() != "my own"


def test_the_format_that_is_missing_is_added(program: Program, talks: Path) -> None:
    (talks / "one.txt").write_text("my own")
    ended = program.run("transcribe", "talks/one.wav", "-f", "txt,srt")
    assert (ended.returncode, ended.stdout) == (0, "talks/one.srt\n")
    assert (talks / "one.txt").read_text() == "my own"


def test_a_transcript_that_cannot_be_written_is_kept_as_a_job(
    program: Program, talks: Path
) -> None:
    (program.folder / "out").write_text("a file where a folder should be")
    ended = program.run("transcribe", "talks/one.wav", "-o", "out")
    assert ended.returncode == 1
    assert "one.wav: The transcript cannot be written" in ended.stderr
    (job,) = jobs(program)
    printed = program.run("jobs", "show", str(job["id"]), "--format", "txt")
    assert printed.returncode == 0
    assert printed.stdout


def test_more_files_than_the_queue_takes_wait_for_room(program: Program) -> None:
    program.settings |= {"MAX_QUEUE_SIZE": "1", "MAX_CONCURRENT_JOBS": "1"}
    (program.folder / "in").mkdir()
    for number in range(5):
        shutil.copy(SPEECH, program.folder / "in" / f"{number}.wav")
    ended = program.run("transcribe", "in", "-o", "out")
    assert ended.returncode == 0, ended.stderr
    assert files(program.folder / "out") == {f"{number}.txt" for number in range(5)}
    assert ended.stderr.count("The queue is full") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--model", "giant", str(SPEECH)], "Choose one of demo, tiny"),
        (["missing.wav"], "There is no file missing.wav"),
        (["--format", "docm", str(SPEECH)], "'docm' is not of txt"),
    ],
)
def test_wrong_arguments_do_nothing(program: Program, arguments: list[str], told: str) -> None:
    ended = program.run("transcribe", "-o", "out", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert told in ended.stderr
    assert not (program.folder / "out").exists()


def test_a_second_command_on_the_same_folder_says_what_to_do(program: Program) -> None:
    with program.started("transcribe", AUDIO / "en_12min.opus", "-o", "out"):
        until(lambda: list((program.data_dir / "work").glob("*")))
        ended = program.run("jobs", "list")
    assert ended.returncode == 1
    assert "Another command works in the data folder" in ended.stderr
    assert "start one" in ended.stderr


def test_the_address_of_a_killed_server_does_not_mislead(program: Program) -> None:
    program.data_dir.mkdir()
    (program.data_dir / "instance.json").write_text('{"host": "127.0.0.1", "port": 9}')
    assert program.run("transcribe", SPEECH, "-o", "out").returncode == 0
    assert not (program.data_dir / "instance.json").exists()


def test_on_a_terminal_bars_show_the_percent(program: Program, talks: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        program.command("transcribe", "talks", "-o", "out"),
        cwd=program.folder,
        env={**program.environment(), "TERM": "xterm", "COLUMNS": "100"},
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        drawn = b"".join(read_all(ours))
    os.close(ours)
    assert process.returncode == 0
    assert "100%" in drawn.decode()
    assert "2 of 2 files" in drawn.decode()


def read_all(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:  # the terminal has no writer any more
            return
        if not piece:
            return
        yield piece
