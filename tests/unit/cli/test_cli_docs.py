"""What stands in the documents on the command line is what the program takes."""

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from voice_transcriber.cli.arguments import build_parser, parse_arguments
from voice_transcriber.cli.exits import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_WRONG

DOCS = Path(__file__).resolve().parents[3] / "docs"
REFERENCE = (DOCS / "reference/cli.md").read_text(encoding="utf-8")
HOWTO = (DOCS / "howto/command-line.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n?)*)", REFERENCE, re.MULTILINE))


def commands(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, set[str]]]:
    """Each command by its name, with its options."""
    groups = [action for action in parser._actions if isinstance(action.choices, dict)]
    if not groups:
        options = {option for action in parser._actions for option in action.option_strings}
        yield name, options - {"-h", "--help"}
    for group in groups:
        for inner, below in dict(group.choices or {}).items():
            yield from commands(below, f"{name} {inner}".strip())


COMMANDS = dict(commands(build_parser("app")))
LINES = re.findall(r"^python app_main\.py (.+)$", HOWTO, re.MULTILINE)


def test_every_command_has_a_section_and_no_other_has() -> None:
    assert set(SECTIONS) - {"Exit status"} == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_section_names_the_options_of_its_command(command: str) -> None:
    rows = re.findall(r"^\| (`-.+?) \|", SECTIONS[command], re.MULTILINE)
    named = {option for row in rows for option in re.findall(r"`(-[a-z-]+)`", row)}
    assert named == COMMANDS[command]


def test_every_exit_status_is_explained() -> None:
    rows = re.findall(r"^\| (\d+) \|", SECTIONS["Exit status"], re.MULTILINE)
    assert {int(row) for row in rows} == {EXIT_OK, EXIT_FAILED, EXIT_WRONG, EXIT_INTERRUPTED}


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_howto_is_understood(line: str) -> None:
    assert parse_arguments(shlex.split(line.partition(" | ")[0])).command == line.split()[0]


def test_the_howto_has_commands() -> None:
    assert len(LINES) > 8
