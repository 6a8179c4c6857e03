"""One upload by tus over a bad line, to a server that is killed again and again."""

from __future__ import annotations

import base64
import hashlib
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.faults.server import Server

CHUNK_BYTES = 8 * 1024 * 1024
VERSION = {"Tus-Resumable": "1.0.0"}
CHUNK_TYPE = "application/offset+octet-stream"
SAMPLE_S = 0.02
WAIT_S = 30.0


@dataclass
class Figures:
    """What one upload showed."""

    size_bytes: int
    disconnects: int = 0  # requests that were torn, those by a kill included
    restarts: int = 0
    seconds: float = 0.0
    sent_bytes: int = 0  # more than the file: what had to be sent again
    peak_disk_bytes: int = 0  # uploads, blobs and spooled bodies together
    memory_growth_bytes: int = 0  # of the web process, the most in one of its lives
    is_equal: bool = False  # the hash of what the server has, at the end
    jobs: set[str] = field(default_factory=set)  # that were made of it

    @property
    def disk_factor(self) -> float:
        return self.peak_disk_bytes / self.size_bytes


def resumed_upload(
    folder: Path,
    *,
    size_bytes: int,
    disconnects: int = 100,
    restarts: int = 8,
    chunk_bytes: int = CHUNK_BYTES,
    seed: int = 20261121,
) -> Figures:
    """Upload random bytes with so many torn requests, `restarts` of them by SIGKILL of the server.

    Asserts that no acknowledged byte is lost; what else is to hold is in the figures.
    """
    chance = random.Random(seed)
    recording = folder / "recording.wav"
    sha256 = _write_noise(recording, size_bytes, chance)
    server = Server(folder / "server", MAX_FILE_SIZE=str(size_bytes // 1_000_000 + 1))
    figures = Figures(size_bytes)
    try:
        server.start()
        with _watched(server, figures):
            began = time.monotonic()
            upload = _Upload(server, recording, chunk_bytes, chance, figures)
            upload.run(disconnects, restarts)
            figures.jobs = {upload.submit() for _ in range(3)}
            figures.seconds = time.monotonic() - began
        (job_id,) = figures.jobs
        figures.is_equal = _hash_of(server, job_id) == sha256
    finally:
        server.close()
        recording.unlink()
    return figures


def _write_noise(path: Path, size_bytes: int, chance: random.Random) -> str:
    digest = hashlib.sha256()
    with path.open("wb") as file:
        left = size_bytes
        while left:
            block = chance.randbytes(min(left, 1024 * 1024))
            file.write(block)
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()


def _hash_of(server: Server, job_id: str) -> str:
    digest = hashlib.sha256()
    with server.web.stream("GET", f"/api/v1/jobs/{job_id}/audio") as answer:
        assert answer.status_code == 200
        for piece in answer.iter_bytes():
            digest.update(piece)
    return digest.hexdigest()


class _Upload:
    """A client that knows only what the server tells it."""

    def __init__(
        self,
        server: Server,
        recording: Path,
        chunk_bytes: int,
        chance: random.Random,
        figures: Figures,
    ) -> None:
        self._server = server
        self._recording = recording
        self._chunk_bytes = chunk_bytes
        self._chance = chance
        self._figures = figures
        self._acknowledged = 0
        name = base64.b64encode(recording.name.encode()).decode()
        headers = {
            **VERSION,
            "Upload-Length": str(figures.size_bytes),
            "Upload-Metadata": f"filename {name}",
        }
        answer = server.web.post("/files", headers=headers)
        assert answer.status_code == 201, answer.text
        self._address = answer.headers["Location"]

    def run(self, disconnects: int, restarts: int) -> None:
        """Torn requests are spread over the file; so are kills, over the torn requests."""
        size = self._figures.size_bytes
        tears = sorted(self._chance.randrange(size) for _ in range(disconnects))
        kills = set(self._chance.sample(range(disconnects), restarts))
        offset = self._offset()
        while offset < size:
            if self._figures.disconnects < disconnects and (
                tears[self._figures.disconnects] < offset + self._chunk_bytes
            ):
                self._tear(offset, kill=self._figures.disconnects in kills)
                self._figures.disconnects += 1
            else:
                self._send(offset)
            offset = self._offset()

    def submit(self) -> str:
        upload_id = self._address.rsplit("/", 1)[1]
        answer = self._server.web.post("/api/v1/jobs", data={"upload": upload_id})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def _offset(self) -> int:
        """By HEAD, as a client does that was cut off. No acknowledged byte may be missing."""
        answer = self._server.web.head(self._address, headers=VERSION)
        assert answer.status_code == 200, answer.headers
        offset = int(answer.headers["Upload-Offset"])
        assert offset >= self._acknowledged, (offset, self._acknowledged)
        self._acknowledged = offset
        return offset

    def _chunk(self, offset: int) -> bytes:
        with self._recording.open("rb") as file:
            file.seek(offset)
            return file.read(self._chunk_bytes)

    def _send(self, offset: int) -> None:
        data = self._chunk(offset)
        headers = {**VERSION, "Upload-Offset": str(offset), "Content-Type": CHUNK_TYPE}
        answer = self._server.web.patch(self._address, content=data, headers=headers)
        self._figures.sent_bytes += len(data)
        assert answer.status_code in {204, 409}, answer.text  # 409: torn bytes were kept since
        if answer.status_code == 204:
            self._acknowledged = int(answer.headers["Upload-Offset"])

    def _tear(self, offset: int, *, kill: bool) -> None:
        """A request that ends after any of its bytes, or before its answer is read."""
        data = self._chunk(offset)
        # Half of what is missing at most, so that the end comes after the last torn request.
        most = min(len(data), (self._figures.size_bytes - offset) // 2)
        data = data[: self._chance.randint(0, most)]
        port = int(self._server.environ["PORT"])
        head = (
            f"PATCH {self._address} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n"
            f"Upload-Offset: {offset}\r\nContent-Type: {CHUNK_TYPE}\r\n"
            f"Content-Length: {len(self._chunk(offset))}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as line:
            with suppress(OSError):
                line.sendall(head.encode() + data)
            self._figures.sent_bytes += len(data)
            if kill:
                time.sleep(self._chance.uniform(0, 0.1))
                self._server.kill()
            elif self._chance.random() < 0.5:  # reset, not closed
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if kill:
            self._figures.restarts += 1
            self._server.start()
            self._server.web.close()
            self._server.web = self._server.client()


@contextmanager
def _watched(server: Server, figures: Figures) -> Iterator[None]:
    """Note the most that is on the disk and in memory."""
    done = threading.Event()

    def watch() -> None:
        first: dict[int, int] = {}
        while not done.wait(SAMPLE_S):
            on_disk = _stored_bytes(server.data) + _spooled_bytes(server.process.pid, server.data)
            figures.peak_disk_bytes = max(figures.peak_disk_bytes, on_disk)
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(server.process.pid)
                resident = process.memory_info().rss
                # what a start itself takes is not what uploads make it grow by
                if time.time() - process.create_time() > 3.0:
                    grown = resident - first.setdefault(process.pid, resident)
                    figures.memory_growth_bytes = max(figures.memory_growth_bytes, grown)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _stored_bytes(data: Path) -> int:
    total = 0
    for path in (data / "blobs").rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file():
                total += path.stat().st_size
    return total


def _spooled_bytes(pid: int, data: Path) -> int:
    """Of the files without a name that the server has open in its folder for bodies."""
    total = 0
    with suppress(FileNotFoundError, PermissionError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if str(link.readlink()).startswith(str(data / "tmp")):
                    total += link.stat().st_size
    return total
