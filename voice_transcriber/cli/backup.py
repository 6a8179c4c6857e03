"""`backup` and `restore`: the data folder as a copy, and back."""

from __future__ import annotations

import argparse

from voice_transcriber.cli.exits import EXIT_OK
from voice_transcriber.data_folder import DataFolder
from voice_transcriber.maintenance import (
    Restore,
    back_up_database,
    back_up_folder,
    plan_restore,
    restore,
)
from voice_transcriber.settings import Settings


def run_backup(arguments: argparse.Namespace, settings: Settings) -> int:
    folder = DataFolder(settings.data_dir)
    if arguments.path is None:
        made = back_up_database(folder)
    else:
        made = arguments.path
        back_up_folder(folder, made, recordings=arguments.recordings)
    print(made)
    return EXIT_OK


def run_restore(arguments: argparse.Namespace, settings: Settings) -> int:
    folder = DataFolder(settings.data_dir)
    if arguments.dry_run:
        print(_text(plan_restore(folder, arguments.path), done=False))
        return EXIT_OK
    print(_text(restore(folder, arguments.path, with_deleted=arguments.with_deleted), done=True))
    return EXIT_OK


def _text(plan: Restore, *, done: bool) -> str:
    would = "" if done else "would be "
    lines = [
        f"{plan.database}: {plan.jobs} jobs, sound; {would}put in the place of the database",
        f"missing here and {would}added: {plan.transcripts} files of jobs, "
        f"{plan.recordings} recordings",
    ]
    if done:
        lines += [f"the database until now: {plan.moved_to or 'there was none'}"]
        lines += ["The next start adds what was finished since."]
    return "\n".join(lines)
