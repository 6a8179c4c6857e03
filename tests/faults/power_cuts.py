"""Power cuts: the data folder is on a disk of its own, of which a copy is taken at a random moment.

The copy holds what was flushed and nothing else: the file system's journal is written at a flush
or after 1000 s. All processes stand still while it is taken, so it is the disk of one moment. Then
they are killed, the copy becomes the disk, its journal is replayed, and the program starts on it.

This shows what a program loses that does not flush. It does not show a disk that lies about
flushes, nor sectors that are written in half.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults.checker import verdict
from tests.faults.client import Client
from tests.faults.disk import Disk
from tests.faults.figures import spread
from tests.faults.server import Server
from tests.faults.sounds import Texts


def run(
    folder: Path,
    *,
    cuts: int,
    life_s: float,
    in_flight: int,
    recordings: Sequence[Path],
    texts: Texts,
    seed: int,
) -> dict[str, Any]:
    """A cut comes at random, every other time right after a job was acknowledged."""
    chance = random.Random(seed)
    disk = Disk(folder)
    disk.mount()
    server = Server(folder, DATA_DIR=str(disk.root / "data"))
    ready_s: list[float] = []
    empty: list[str] = []
    try:
        server.start()
        for number in range(cuts):
            with Client(server, recordings, in_flight=in_flight).at_work():
                time.sleep(chance.uniform(0, life_s))
                if number % 2:
                    _wait_for_an_answer(server)
                _cut(server, disk)
                empty += _empty_files(server.data)
                ready_s.append(server.start())
        acknowledged = len(server.accepted)
        found = verdict(server, texts)
    finally:
        server.close()
        disk.unmount()
    return {
        "cuts": cuts,
        "acknowledged": acknowledged,
        "cut_off": server.log.unanswered,
        "empty_files": empty,
        "ready_s": spread(ready_s),
        "violations": [str(one) for one in found],
    }


def _wait_for_an_answer(server: Server, *, patience_s: float = 5.0) -> None:
    known, deadline_s = len(server.accepted), time.monotonic() + patience_s
    while len(server.accepted) == known and time.monotonic() < deadline_s:
        time.sleep(0.001)


def _cut(server: Server, disk: Disk) -> None:
    processes = [server.process.pid, *(child.pid for child in server.children())]
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    picture = disk.photograph()
    for pid in processes:
        os.kill(pid, signal.SIGKILL)
    server.kill()
    disk.becomes(picture)


def _empty_files(data: Path) -> list[str]:
    """Recordings and texts that have a name and no content."""
    found = [*data.glob("blobs/??/*"), *data.glob("transcripts/*.json")]
    return [path.relative_to(data).as_posix() for path in found if path.stat().st_size == 0]
