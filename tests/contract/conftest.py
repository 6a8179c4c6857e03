"""What the contract suites share: every adapter, and a clock that stands still."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.makers import Clock, Jobs
from voice_transcriber.blobs.base import BlobStore
from voice_transcriber.blobs.local import LocalBlobs
from voice_transcriber.store.base import Store
from voice_transcriber.store.sqlite import SqliteStore

STORES: dict[str, Callable[..., Store]] = {"sqlite": SqliteStore}
BLOBS: dict[str, Callable[[Path], BlobStore]] = {"local": LocalBlobs}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=STORES)
def open_store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> Iterator[Callable[[], Store]]:
    """Open the same store again and again; all are closed at the end."""
    opened: list[Store] = []

    def open_again() -> Store:
        opened.append(STORES[request.param](tmp_path / "jobs.sqlite3", clock=clock))
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()


@pytest.fixture
def jobs(store: Store) -> Jobs:
    return Jobs(store)


@pytest.fixture(params=BLOBS)
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return BLOBS[request.param](tmp_path / "blobs")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk can be mounted only by root, on Linux")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
