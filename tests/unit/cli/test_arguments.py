"""The arguments: what is understood, what is refused, and how little `--help` needs."""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from voice_transcriber.cli.arguments import build_parser, parse_arguments

PROJECT = Path(__file__).resolve().parents[3]
HEAVY = {
    "apscheduler",
    "docx",
    "flask",
    "httpx",
    "pydantic",
    "rich",
    "shtab",
    "sqlite_utils",
    "waitress",
}


def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers of all commands that can be carried out."""
    groups = [action for action in parser._actions if isinstance(action.choices, dict)]
    if not groups:
        yield parser
    for group in groups:
        for inner in dict(group.choices or {}).values():
            yield from commands(inner)


COMMANDS = list(commands(build_parser("app")))


def run_program(*arguments: str) -> subprocess.CompletedProcess[str]:
    """app_main.py, which says at its end which packages it has loaded."""
    program = (
        "import runpy, sys\n"
        "sys.argv = ['app_main.py', *sys.argv[1:]]\n"
        "try: runpy.run_path('app_main.py', run_name='__main__')\n"
        "finally: print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0),
        (["transcribe", "--help"], 0),
        (["jobs", "list", "--help"], 0),
        (["transcribe"], 2),
        (["nonsense"], 2),
    ],
)
def test_help_and_wrong_arguments_load_nothing_heavy(arguments: list[str], status: int) -> None:
    ended = run_program(*arguments)
    assert ended.returncode == status
    loaded = set(ended.stderr.splitlines()[-1].split())
    assert "voice_transcriber" in loaded
    assert loaded & HEAVY == set()


def test_without_a_command_it_serves() -> None:
    assert parse_arguments([]).command == "serve"


@pytest.mark.parametrize("parser", COMMANDS, ids=lambda parser: parser.prog)
def test_every_command_has_a_manual_page(parser: argparse.ArgumentParser) -> None:
    text = parser.format_help()
    assert parser.description
    assert "exit status:" in text


@pytest.mark.parametrize("parser", COMMANDS, ids=lambda parser: parser.prog)
def test_every_argument_is_explained(parser: argparse.ArgumentParser) -> None:
    assert [action.dest for action in parser._actions if not action.help] == []


@pytest.mark.parametrize("parser", COMMANDS, ids=lambda parser: parser.prog)
def test_every_command_names_a_function_that_exists(parser: argparse.ArgumentParser) -> None:
    module, _, name = parser.get_default("run").partition(":")
    if name:  # serve and completion are carried out elsewhere
        assert callable(getattr(import_module(f"voice_transcriber.cli.{module}"), name))


def test_formats_come_as_one_word_each_once() -> None:
    assert parse_arguments(["transcribe", "a", "-f", "srt, TXT,srt"]).formats == ("srt", "txt")


@pytest.mark.parametrize(
    ("given", "understood"),
    [("de", "de"), ("German", "de"), ("auto", None), ("", None), ("multi", "multi")],
)
def test_a_language_is_a_code_a_name_or_detected(given: str, understood: str | None) -> None:
    assert parse_arguments(["transcribe", "a", "-l", given]).language == understood


def test_a_part_of_a_recording_is_given_in_times() -> None:
    given = parse_arguments(["transcribe", "a", "--from", "1:30", "--to", "95.5"])
    assert (given.from_s, given.to_s) == (90.0, 95.5)
    whole = parse_arguments(["transcribe", "a"])
    assert (whole.from_s, whole.to_s, whole.audio_track) == (0.0, None, None)


def test_an_engine_is_one_that_a_job_may_name() -> None:
    assert parse_arguments(["transcribe", "a"]).engine is None
    given = parse_arguments(["transcribe", "a", "--engine", "faster-whisper"])
    assert given.engine == "faster-whisper"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["transcribe", "a", "-l", "klingon"], "no language 'klingon'"),
        (["transcribe", "a", "-f", "docm"], "'docm' is not of txt"),
        (["transcribe", "a", "-f", ","], "',' is not of txt"),
        (["transcribe", "a", "--prompt", "x" * 1001], "more than 1000 characters"),
        (["transcribe", "a", "--from", "soon"], "'soon' is no time"),
        (["transcribe", "a", "--audio-track", "-1"], "'-1' is no number from 0"),
        (["transcribe", "a", "--engine", "fake"], "invalid choice: 'fake'"),
        (["transcribe", "a", "--audio-track", "two"], "'two' is no number from 0"),
        (["jobs", "list", "--status", "lost"], "'lost' is not of queued"),
        (["jobs", "list", "--limit", "0"], "a whole number above zero"),
        (["bench", "--iterations", "0"], "a whole number from 1"),
        (["models"], "required: COMMAND"),
    ],
)
def test_a_wrong_value_is_refused_with_the_reason(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_arguments(arguments)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
