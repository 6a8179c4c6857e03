"""The other commands as a person runs them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import PROJECT, Program
from tests.recordings import AUDIO, tone, write_wav
from voice_transcriber.engines.fake import HOARD_LEVEL

SPEECH = AUDIO / "en_5s.wav"
HOWTO = PROJECT / "docs" / "howto" / "command-line.md"
CHEAP = r"transcribe talk\.mp3|transcribe recordings -o transcripts|jobs list.*|models list"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def test_jobs_are_listed_shown_cancelled_retried_and_deleted(program: Program) -> None:
    shutil.copy(AUDIO / "en_5min.opus", program.folder)
    program.settings["MAX_CONCURRENT_JOBS"] = "1"
    with program.serving():
        assert program.run("transcribe", SPEECH, "-o", "out", "--keep").returncode == 0
        (job,) = json.loads(program.run("jobs", "list", "--json").stdout)
        listed = program.run("jobs", "list", "--status", "completed", "--search", "EN_5S")
        assert listed.stdout.splitlines()[1].split()[:2] == [job["id"], "completed"]
        assert "state:            completed" in program.run("jobs", "show", job["id"]).stdout
        srt = program.run("jobs", "show", job["id"], "--format", "srt").stdout
        assert srt.startswith("1\n00:00:0")
        cancelled = program.run("jobs", "cancel", job["id"], "nobody")
        assert (cancelled.returncode, cancelled.stdout) == (1, "")
        assert "nobody: There is no" in cancelled.stderr
        assert program.run("jobs", "retry", job["id"]).returncode == 1
        assert program.run("jobs", "delete", job["id"]).stdout == f"{job['id']}: deleted\n"
        empty = program.run("jobs", "list")
        assert (empty.returncode, empty.stdout) == (0, "")


def test_a_server_withdraws_its_address_when_it_stops(program: Program) -> None:
    with program.serving():
        assert (program.data_dir / "instance.json").exists()
    assert not (program.data_dir / "instance.json").exists()


def test_commands_reach_a_server_that_needs_a_key(program: Program) -> None:
    program.settings["API_KEY"] = "a key of the tests, long enough"
    with program.serving():
        assert program.run("jobs", "list").returncode == 0
        del program.settings["API_KEY"]
        refused = program.run("jobs", "list")
    assert refused.returncode == 2
    assert "Set API_KEY" in refused.stderr


def test_models_are_listed_and_deleted(program: Program) -> None:
    models = program.folder / "models"
    models.mkdir()
    (models / "base.pt").write_bytes(bytes(2_000_000))
    (models / "mine.pt").write_bytes(bytes(1_000_000))
    listed = json.loads(program.run("models", "list", "--json").stdout)
    assert {model["name"] for model in listed if model["present"]} == {"base", "demo", "mine"}
    assert all(model["memory_bytes"] > model["size_bytes"] for model in listed)
    assert {model["real_time_factor"] for model in listed} == {None}
    assert program.run("models", "download", "base").stdout == f"{models / 'base.pt'}\n"
    deleted = program.run("models", "delete", "base", "mine", "tiny")
    assert (deleted.returncode, deleted.stdout) == (1, "base: deleted\n")
    assert "mine: mine.pt is your own file" in deleted.stderr
    assert "tiny: The model tiny is not on this machine." in deleted.stderr
    assert program.run("models", "delete", "--own", "mine").returncode == 0
    assert list(models.glob("*.pt")) == []


def test_a_download_without_a_network_says_what_to_do(program: Program) -> None:
    program.settings["HTTPS_PROXY"] = "http://127.0.0.1:9"  # where nobody listens
    ended = program.run("models", "download", "tiny")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "tiny: tiny.pt could not be downloaded" in ended.stderr
    assert "WHISPER_MODEL_DIR" in ended.stderr


@pytest.mark.parametrize("command", [["models", "download"], ["models", "delete"], ["bench", "-m"]])
def test_an_unknown_model_is_a_wrong_argument(program: Program, command: list[str]) -> None:
    ended = program.run(*command, "giant")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Choose one of demo, tiny" in ended.stderr


def test_bench_gives_the_figures_of_each_model(program: Program) -> None:
    program.settings["TRANSCRIPTIONS_DIR"] = str(program.folder / "finished")
    ended = program.run("bench", SPEECH, "--iterations", "2", "--json")
    assert ended.returncode == 0, ended.stderr
    (figures,) = json.loads(ended.stdout)
    assert figures["model"] == "demo"
    assert len(figures["real_time_factors"]) == 2
    assert min(figures["real_time_factors"]) > 0
    assert figures["peak_memory_bytes"] > 10_000_000
    assert list(program.folder.iterdir()) == []


def test_a_profile_names_the_functions_of_the_engine(program: Program) -> None:
    """The fake engine sleeps, and fills memory: both for long, so that load changes no rank."""
    program.settings["AUDIO_OPTIMIZATION"] = "false"
    recording = write_wav(program.folder / "hoard.wav", tone(5, level=HOARD_LEVEL + 0.01))
    ended = program.run("bench", recording, "--iterations", "1", "--profile")
    assert ended.returncode == 0, ended.stderr
    assert "REAL-TIME FACTOR" in ended.stdout
    assert "{built-in method time.sleep}" in ended.stdout  # what the fake engine does for long
    assert re.search(r"fake\.py:\d+\(_fail_at\)", ended.stdout)


def test_check_proves_the_installation(program: Program) -> None:
    program.settings["ENGINE"] = "openai-whisper"
    ended = program.run("check")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1].startswith("ok in ")


def test_check_fails_where_the_text_is_wrong(program: Program) -> None:
    ended = program.run("check")  # the fake engine invents its text
    assert ended.returncode == 1
    assert "of the sample's words are right" in ended.stderr


def test_a_wrong_setting_is_told_by_every_command(program: Program) -> None:
    program.settings["BATCH_SIZE"] = "many"
    ended = program.run("jobs", "list")
    assert ended.returncode == 2
    assert "BATCH_SIZE" in ended.stderr


def test_a_reader_that_has_enough_is_no_accident(program: Program) -> None:
    command = f"{sys.executable} {PROJECT / 'app_main.py'} models list | true"
    ended = subprocess.run(
        ["bash", "-c", command],
        env=program.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr == ""


def test_the_commands_of_the_howto_do_what_it_says(program: Program) -> None:
    shutil.copy(SPEECH, program.folder / "talk.mp3")
    shutil.copytree(
        AUDIO, program.folder / "recordings", ignore=lambda _, names: {*names} - {SPEECH.name}
    )
    text = HOWTO.read_text(encoding="utf-8")
    lines = re.findall(rf"^python app_main\.py ({CHEAP})$", text, re.MULTILINE)
    for line in lines:
        ended = program.run(*shlex.split(line))
        assert ended.returncode == 0, ended.stderr
    assert len(lines) == 4
    assert (program.folder / "talk.txt").exists()
    assert (program.folder / "transcripts" / "en_5s.txt").exists()
