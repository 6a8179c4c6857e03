"""Disks without room: filled to the last byte while uploads come and jobs run, then freed again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults.checker import verdict
from tests.faults.disk import MEGABYTE, small_disk
from tests.faults.figures import spread
from tests.faults.server import Server
from tests.faults.sounds import Texts

SIZE_BYTES = 600 * MEGABYTE
BLOCK_BYTES = 1024 * 1024
RECOVERY_S = 10.0
FULL = 507
SETTLE_S = 3.0  # a request that met the full disk ends within this time


def run(
    folder: Path, *, rounds: int, recordings: Sequence[Path], texts: Texts, seed: int
) -> dict[str, Any]:
    """The largest of `recordings` is on its way each time when the disk becomes full."""
    chance = random.Random(seed)
    large = max(recordings, key=lambda path: path.stat().st_size)
    refused: list[int] = []
    leftovers: list[str] = []
    recovered_s: list[float] = []
    with small_disk(folder / "disk", size_bytes=SIZE_BYTES) as root:
        server = Server(folder, DATA_DIR=str(root / "data"))
        try:
            server.start()
            for _ in range(rounds):
                for recording in recordings:
                    server.send(recording)
                upload = threading.Thread(target=_send, args=(server, large, refused))
                upload.start()
                time.sleep(chance.uniform(0, 0.2))
                with _filled(root):
                    upload.join()
                    _send(server, large, refused)
                    time.sleep(SETTLE_S)
                    assert server.web.get("/api/v1/jobs").status_code == 200
                    leftovers += _half_written(server.data)
                recovered_s.append(_accepts_again_s(server, recordings[0]))
                server.finish_all()
            alive = server.is_alive
            found = verdict(server, texts)
        finally:
            server.close()
    return {
        "rounds": rounds,
        "answers_on_a_full_disk": sorted(set(refused)),
        "refused": refused.count(FULL),
        "leftovers": leftovers,
        "recovered_s": spread(recovered_s),
        "alive": alive,
        "acknowledged": len(server.accepted),
        "violations": [str(one) for one in found],
    }


def _send(server: Server, path: Path, statuses: list[int]) -> None:
    with server.client() as web:
        answer = server.send(path, web)
        statuses.append(answer.status_code if answer is not None else 0)


class _filled:
    """Takes every byte that is free, and keeps taking what becomes free."""

    def __init__(self, root: Path) -> None:
        self._path = root / "filler"
        self._over = threading.Event()
        self._is_full = threading.Event()
        self._thread = threading.Thread(target=self._fill, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()
        assert self._is_full.wait(30)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._path.unlink()

    def _fill(self) -> None:
        size_bytes = BLOCK_BYTES
        with self._path.open("wb", buffering=0) as file:
            while not self._over.is_set():
                try:
                    file.write(bytes(size_bytes))
                except OSError:  # not a byte more of this size
                    if size_bytes == 1:
                        self._is_full.set()
                        time.sleep(0.02)
                    size_bytes = max(1, size_bytes // 16)


def _half_written(data: Path) -> list[str]:
    """Uploads that nobody will finish; those under way have ended by now."""
    return [path.relative_to(data).as_posix() for path in data.glob("blobs/incoming/*")] + [
        path.relative_to(data).as_posix() for path in data.glob("tmp/*")
    ]


def _accepts_again_s(server: Server, recording: Path) -> float:
    begun_s = time.monotonic()
    while time.monotonic() - begun_s < RECOVERY_S:
        answer = server.send(recording)
        if answer is not None and answer.status_code == 202:
            return time.monotonic() - begun_s
        time.sleep(0.1)
    raise AssertionError(f"a submit is still refused {RECOVERY_S:.0f} s after there was room")
