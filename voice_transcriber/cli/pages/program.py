"""The manual pages and the arguments of the commands that have few."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
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
    summary="tell the state of the data folder, and prove the installation",
    description="""
        Tell the state of the data folder: whether the database is sound, recordings and transcripts
        complete, the disk roomy and backups young. Then transcribe the shipped sample with the demo
        model through every part, in a data folder of its own, and compare the text. It needs no
        network and may run beside a server.
    """,
    examples=(("the data folder only", "{prog} --data"),),
)
BACKUP_PAGE = Page(
    summary="copy the data folder, or the database alone",
    description="""
        Without PATH, add a copy of the database to DATA_DIR/backups, as the server does each day.
        With PATH, make a new folder with the database, the transcripts and the recordings. Both may
        run beside a server; each copy of the database is checked.
    """,
    examples=(
        ("all, on another disk", "{prog} /mnt/backup/2026-11-21"),
        ("without the recordings", "{prog} --no-recordings /mnt/backup/2026-11-21"),
    ),
)
RESTORE_PAGE = Page(
    summary="put a backup in the place of the database",
    description="""
        Put the database of a backup in the place of the one in DATA_DIR, which is kept in
        DATA_DIR/quarantine, and add the backup's files that are missing. What was finished since
        the backup is added by the next start, and what was deleted since stays deleted. Refused
        while a server runs.
    """,
    examples=(
        ("what would be done", "{prog} --dry-run /mnt/backup/2026-11-21"),
        ("a daily copy", "{prog} data/backups/jobs-20261121T120000Z.db"),
    ),
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
    parser = add_page(commands, "check", CHECK_PAGE, run="check:run")
    parser.add_argument("--data", action="store_true", help="tell of the data folder only")


def add_backup(commands: Commands) -> None:
    """`backup` and `restore`."""
    backup = add_page(commands, "backup", BACKUP_PAGE, run="backup:run_backup")
    backup.add_argument("path", nargs="?", type=Path, metavar="PATH", help="the folder to make")
    backup.add_argument(
        "--no-recordings", dest="recordings", action="store_false", help="leave out the recordings"
    )
    restore = add_page(commands, "restore", RESTORE_PAGE, run="backup:run_restore")
    restore.add_argument("path", type=Path, metavar="PATH", help="what `backup` made")
    restore.add_argument("--dry-run", action="store_true", help="tell only what would be done")
    restore.add_argument(
        "--with-deleted", action="store_true", help="also jobs that were deleted since"
    )


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
