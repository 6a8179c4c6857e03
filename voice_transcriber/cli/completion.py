"""`completion`: a shell function for the program, and what Tab completes after it."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

import shtab

COMMAND = "voice-transcriber"
PROGRAM = Path(__file__).resolve().parents[2] / "app_main.py"

_FILES = {"files": shtab.FILE, "file": shtab.FILE, "output": shtab.DIRECTORY}


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """To be evaluated by the shell; `parser` is that of the whole program, with prog=COMMAND."""
    _mark_files(parser)
    return f"{shtab.complete(parser, shell)}\n{_function(shell)}"


def _mark_files(parser: argparse.ArgumentParser) -> None:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _mark_files(inner)
        elif action.dest in _FILES:
            action.complete = _FILES[action.dest]  # type: ignore[attr-defined]


def _function(shell: str) -> str:
    program = shlex.join([sys.executable, str(PROGRAM)])
    if shell == "fish":
        return f"function {COMMAND}; {program} $argv; end\n"
    return f'{COMMAND}() {{ {program} "$@"; }}\n'
