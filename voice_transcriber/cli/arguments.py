"""Arguments of `python app_main.py`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from enum import StrEnum

from voice_transcriber import __version__


class Command(StrEnum):
    SERVE = "serve"
    CHECK = "check"


def parse_arguments(arguments: Sequence[str]) -> Command:
    """The command to run; without one, serve. Exits with status 2 on a wrong argument."""
    parser = argparse.ArgumentParser(
        prog="app_main.py",
        description="Voice Transcriber: speech to text on your own machine.",
        epilog="Settings come from the environment and .env; see docs/reference/settings.md.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser(Command.SERVE, help="serve the page and the API (the default)")
    commands.add_parser(
        Command.CHECK,
        help="transcribe the shipped sample with the demo model and compare the text",
    )
    return Command(parser.parse_args(arguments).command or Command.SERVE)
