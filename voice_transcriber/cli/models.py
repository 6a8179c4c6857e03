"""`models`: list, download and delete. It may be done beside a running server."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from voice_transcriber.cli.client import ModelView
from voice_transcriber.cli.client_local import LocalJobsClient
from voice_transcriber.cli.connect import open_client
from voice_transcriber.cli.exits import EXIT_FAILED, EXIT_OK
from voice_transcriber.cli.tables import size_text, table
from voice_transcriber.cli.workplace import temporary_services
from voice_transcriber.errors import DataFolderBusy, TranscriberError
from voice_transcriber.services import Services
from voice_transcriber.settings import Settings

OnProgress = Callable[[int, int], None]  # bytes done, bytes in all


def run_list(arguments: argparse.Namespace, settings: Settings) -> int:
    found = _listed(settings)
    if arguments.json:
        print(json.dumps([asdict(model) for model in found], ensure_ascii=False, indent=2))
        return EXIT_OK
    rows = [
        [
            model.name,
            "yes" if model.present else "no",
            size_text(model.size_bytes),
            size_text(model.memory_bytes),
            f"{1 / model.real_time_factor:.1f} x" if model.real_time_factor else "",
            model.note,
        ]
        for model in found
    ]
    print(table(["NAME", "HERE", "SIZE", "MEMORY", "SPEED", "NOTE"], rows))
    return EXIT_OK


def _listed(settings: Settings) -> Sequence[ModelView]:
    try:
        with open_client(settings) as client:
            return client.models()
    except DataFolderBusy:  # another command works there: all but the speeds is known without it
        with temporary_services(settings) as services:
            return LocalJobsClient(services).models()


def run_download(arguments: argparse.Namespace, settings: Settings) -> int:
    def download(services: Services, name: str) -> str:
        with _progress(name) as report:
            path = services.models.ensure(name, on_progress=report, should_stop=lambda: False)
        return str(path)

    return _for_each(arguments.names, settings, download)


def run_delete(arguments: argparse.Namespace, settings: Settings) -> int:
    def delete(services: Services, name: str) -> str:
        services.models.delete(name, own=arguments.own)
        return f"{name}: deleted"

    return _for_each(arguments.names, settings, delete)


def _for_each(
    names: Sequence[str], settings: Settings, work: Callable[[Services, str], str]
) -> int:
    """Print what `work` returns for each model; one that fails does not keep the others.

    Raises UnknownModel before anything is done.
    """
    status = EXIT_OK
    with temporary_services(settings) as services:
        for name in names:
            services.models.resolve(name)
        for name in names:
            try:
                print(work(services, name), flush=True)
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
