"""Arguments of `python app_main.py`, and the functions that carry its commands out.

This module and the pages are read for every `--help`, so they import nothing heavy.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, cast

from voice_transcriber import __version__
from voice_transcriber.cli.pages import bench, cache, jobs, models, program, transcribe

if TYPE_CHECKING:
    from voice_transcriber.settings import Settings

PROGRAM = "python app_main.py"
SERVE = program.SERVE


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """What was asked; without a command, to serve. Exits with status 2 on a wrong argument."""
    parsed = build_parser(PROGRAM).parse_args(arguments)
    if parsed.command is None:
        parsed.command = SERVE
    return parsed


def build_parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Voice Transcriber: speech to text on your own machine.",
        epilog="Each command has a manual page: COMMAND --help.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    program.add_serve(commands)
    transcribe.add(commands)
    jobs.add(commands)
    models.add(commands)
    cache.add(commands)
    program.add_check(commands)
    program.add_backup(commands)
    bench.add(commands)
    program.add_completion(commands, _print_completion)
    return parser


def run_command(arguments: argparse.Namespace, settings: Settings) -> int:
    """Carry out any command but `serve`; returns the exit status. Raises TranscriberError."""
    module, _, name = arguments.run.partition(":")
    run = getattr(import_module(f"voice_transcriber.cli.{module}"), name)
    return cast("Callable[[argparse.Namespace, Settings], int]", run)(arguments, settings)


def _print_completion(shell: str) -> None:
    from voice_transcriber.cli.completion import COMMAND, completion_script

    print(completion_script(build_parser(COMMAND), shell))
