"""`models`: list, download and delete. It may be done beside a running server."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from voice_transcriber.cli.exits import EXIT_FAILED, EXIT_OK
from voice_transcriber.cli.tables import size_text, table
from voice_transcriber.cli.workplace import temporary_services
from voice_transcriber.errors import TranscriberError
from voice_transcriber.settings import Settings

OnProgress = Callable[[int, int], None]  # bytes done, bytes in all


def run_list(arguments: argparse.Namespace, settings: Settings) -> int:
    with temporary_services(settings) as services:
        found = services.models.catalogue()
    if arguments.json:
        print(json.dumps([asdict(model) for model in found], ensure_ascii=False, indent=2))
        return EXIT_OK
    rows = [
        [model.name, "yes" if model.present else "no", size_text(model.size_bytes), model.note]
        for model in found
    ]
    print(table(["NAME", "HERE", "SIZE", "NOTE"], rows))
    return EXIT_OK


def run_download(arguments: argparse.Namespace, settings: Settings) -> int:
    status = EXIT_OK
    with temporary_services(settings) as services:
        for name in arguments.names:
            services.models.resolve(name)
        for name in arguments.names:
            try:
                with _progress(name) as report:
                    path = services.models.ensure(
                        name, on_progress=report, should_stop=lambda: False
                    )
                print(path, flush=True)
            except TranscriberError as error:
                _tell(name, error)
                status = EXIT_FAILED
    return status


def run_delete(arguments: argparse.Namespace, settings: Settings) -> int:
    status = EXIT_OK
    with temporary_services(settings) as services:
        for name in arguments.names:
            services.models.resolve(name)
        for name in arguments.names:
            try:
                services.models.delete(name, own=arguments.own)
                print(f"{name}: deleted", flush=True)
            except TranscriberError as error:
                _tell(name, error)
                status = EXIT_FAILED
    return status


def _tell(name: str, error: TranscriberError) -> None:
    print(f"{name}: {error.message}\n  {error.remedy}", file=sys.stderr, flush=True)


@contextmanager
def _progress(name: str) -> Iterator[OnProgress]:
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = [TextColumn(name, markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)
