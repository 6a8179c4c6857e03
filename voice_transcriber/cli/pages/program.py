"""The manual pages and the arguments of the commands that have few."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from voice_transcriber.cli.pages.page import COMMON_STATUS, Commands, Page, add_page

SERVE = "serve"
SHELLS = ("bash", "zsh", "fish")

SERVE_PAGE = Page(
    summary="serve the page and the API (the default)",
    description="""
        Serve the page and the API on HOST and PORT until Ctrl-C or SIGTERM. Running jobs then
        commit what is in work and go on at the next start.
    """,
    examples=(("on another port", "PORT=8080 {prog}"),),
    exit_status={**COMMON_STATUS, 0: "stopped as asked"},
)
CHECK_PAGE = Page(
    summary="prove the installation with the demo model and the shipped sample",
    description="""
        Transcribe the shipped sample with the demo model through every part, in a data folder of
        its own, and compare the text. It needs no network and may run beside a server.
    """,
)
COMPLETION_PAGE = Page(
    summary="print what a shell needs to complete this program's arguments",
    description="""
        Print a script that gives the shell the command voice-transcriber, which is this program,
        and completes its commands, options and files at Tab.

        The command works from every folder; name DATA_DIR and WHISPER_MODEL_DIR in .env as
        absolute paths then, for relative ones count from the folder where it is given.
    """,
    examples=(
        ("in ~/.bashrc, with the full paths", 'eval "$({prog} bash)"'),
        ("in ~/.zshrc, after compinit", 'eval "$({prog} zsh)"'),
        ("in ~/.config/fish/config.fish", "{prog} fish | source"),
    ),
)


def add_serve(commands: Commands) -> None:
    add_page(commands, SERVE, SERVE_PAGE, run=SERVE)


def add_check(commands: Commands) -> None:
    add_page(commands, "check", CHECK_PAGE, run="check:run")


def add_completion(commands: Commands, print_script: Callable[[str], None]) -> None:
    class Print(argparse.Action):
        """Done while the arguments are read: it needs no settings."""

        def __call__(
            self,
            parser: argparse.ArgumentParser,
            _namespace: argparse.Namespace,
            values: str | Sequence[Any] | None,
            _option: str | None = None,
        ) -> None:
            print_script(str(values))
            parser.exit()

    parser = add_page(commands, "completion", COMPLETION_PAGE, run="completion")
    parser.add_argument("shell", choices=SHELLS, action=Print, help="the shell")
