"""Where a command works: through the server that holds the data folder, else in this process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from voice_transcriber.cli.client import JobsClient
from voice_transcriber.cli.client_http import HttpJobsClient
from voice_transcriber.cli.client_local import LocalJobsClient
from voice_transcriber.cli.instance import base_url, withdraw
from voice_transcriber.errors import DataFolderBusy
from voice_transcriber.services import Services
from voice_transcriber.settings import Settings

START_S = 5.0  # a server that has just taken the folder announces itself within this time
_POLL_S = 0.1


@contextmanager
def open_client(settings: Settings, *, run_jobs: bool = False) -> Iterator[JobsClient]:
    """Jobs of the data folder. Where no server runs them, `run_jobs` says that this process does.

    Raises DataFolderBusy when another command holds the folder, ConfigurationError, DiskFull.
    """
    services = _services(settings)
    if services is None:
        with HttpJobsClient(_server_url(settings), api_key=settings.api_key) as client:
            yield client
        return
    try:
        withdraw(settings.data_dir)
        if run_jobs:
            services.start()
        yield LocalJobsClient(services)
    finally:
        services.stop()


def _services(settings: Settings) -> Services | None:
    try:
        return Services(settings)
    except DataFolderBusy:
        return None


def _server_url(settings: Settings) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if url := base_url(settings.data_dir):
            return url
        time.sleep(_POLL_S)
    raise DataFolderBusy(
        f"Another command works in the data folder {settings.data_dir}.",
        remedy="Wait until it has ended. Several commands at a time can work through a server: "
        "start one.",
    )
