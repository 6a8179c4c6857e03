"""The real program in a process of its own, which a test may kill; what a client saw is noted."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.faults.client_log import ClientLog
from tests.running import until
from voice_transcriber.files import file_sha256

PROJECT = Path(__file__).resolve().parents[2]
STOP_S = 60.0
READY_S = 60.0
ORPHAN_S = 5.0  # children may live so long after their parent
LIVE = frozenset({"queued", "running"})
PAGE = 200

hash_of = cache(file_sha256)  # test recordings do not change


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def environment(folder: Path, **values: str) -> dict[str, str]:
    """Nothing of the machine's own settings; a variable beats .env also when it is empty."""
    own = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    defaults = {
        "ENGINE": "fake",
        "AUDIO_OPTIMIZATION": "false",
        "DEFAULT_MODEL": "demo",
        "ENABLE_CACHE": "false",
        "DATA_DIR": str(folder / "data"),
        "WHISPER_MODEL_DIR": str(folder / "models"),
        "PORT": str(free_port()),
    }
    return own | defaults | values


def program(environ: dict[str, str], **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "app_main.py"], cwd=PROJECT, env=environ, text=True, **options
    )


class Server:
    """Starts, kills and starts again on one data folder; what the client saw is in `log`."""

    def __init__(self, folder: Path, **values: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.environ = environment(folder, **values)
        self.data = Path(self.environ["DATA_DIR"])
        self.log = ClientLog()
        self._look = threading.Lock()  # answers to two looks at once could be noted in false order
        self.output = folder / "server.log"
        self._output = self.output.open("ab")
        self._process: subprocess.Popen[str] | None = None
        self.address = f"http://127.0.0.1:{self.environ['PORT']}"
        self.web = self.client()

    @property
    def accepted(self) -> dict[str, str]:
        """Acknowledged jobs, and the names of their recordings."""
        return {one.id: one.recording for one in self.log.accepted.values()}

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def client(self) -> httpx.Client:
        """Another one; each thread needs its own."""

        def note(response: httpx.Response) -> None:
            request = response.request
            self.log.answered(
                request.method,
                request.url.path,
                response.status_code,
                retry_after="Retry-After" in response.headers,
            )

        return httpx.Client(
            base_url=self.address,
            trust_env=False,
            timeout=30,
            event_hooks={"response": [note]},
        )

    def launch(self, *, kill_at: str = "") -> None:
        """Start, without waiting for anything."""
        environ = self.environ | {"KILL_AT": kill_at}
        self._process = program(environ, stdout=subprocess.PIPE, stderr=self._output)

    def wait_ready(self) -> bool:
        """False when it died before."""
        assert self.process.stdout is not None
        return "is ready on" in self.process.stdout.readline()

    def start(self, *, kill_at: str = "") -> float:
        """Until it says that it is ready; the seconds that took."""
        begun_s = time.monotonic()
        self.launch(kill_at=kill_at)
        assert self.wait_ready(), self.last_words()
        return time.monotonic() - begun_s

    def last_words(self) -> str:
        lines = self.output.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-20:])

    def send(self, path: Path, web: httpx.Client | None = None) -> httpx.Response | None:
        """The answer to a recording; None when the server died before it gave one."""
        try:
            with path.open("rb") as file:
                answer = (web or self.web).post("/api/v1/jobs", files={"file": (path.name, file)})
        except httpx.ConnectError:
            return None
        except httpx.TransportError:
            self.log.cut_off()
            return None
        if answer.status_code == 202:
            self.log.accept(answer.json()["id"], recording=path.name, sha256=hash_of(path))
        return answer

    def submit(self, path: Path) -> str | None:
        """The id of the job when the server acknowledged it; None when it died before that."""
        answer = self.send(path)
        if answer is None:
            return None
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self.web.get(f"/api/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def jobs(self) -> Iterator[dict[str, Any]]:
        """All of them, newest first, page by page; each is noted as seen."""
        query: dict[str, Any] = {"limit": PAGE}
        while True:
            page = self._page(query, self.web)
            yield from page["jobs"]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    def live_jobs(self, web: httpx.Client | None = None) -> list[dict[str, Any]]:
        """Those that have not ended, the newest PAGE of them; each is noted as seen."""
        query: dict[str, Any] = {"limit": PAGE, "status": sorted(LIVE)}
        jobs: list[dict[str, Any]] = self._page(query, web or self.web)["jobs"]
        return jobs

    def _page(self, query: dict[str, Any], web: httpx.Client) -> dict[str, Any]:
        with self._look:
            answer = web.get("/api/v1/jobs", params=query)
            assert answer.status_code == 200, answer.text
            page: dict[str, Any] = answer.json()
            for job in page["jobs"]:
                self.log.saw(job)
            return page

    def live(self) -> int:
        """How many jobs have not ended."""
        query = {"limit": 1, "status": sorted(LIVE)}
        return int(self.web.get("/api/v1/jobs", params=query).json()["total"])

    def finish(self, job_id: str) -> dict[str, Any]:
        """The job when it has ended."""
        until(lambda: self.job(job_id)["status"] not in LIVE)
        return self.job(job_id)

    def finish_all(self, *, patience_s: float = 150.0) -> None:
        until(lambda: self.live() == 0, patience_s=patience_s)

    def text(self, job_id: str) -> str:
        job = self.finish(job_id)
        assert job["status"] == "completed", job
        answer = self.web.get(f"/api/v1/jobs/{job_id}/transcript.json")
        assert answer.status_code == 200
        return "".join(segment["text"] for segment in answer.json()["segments"]).strip()

    def children(self, word: str = "") -> list[psutil.Process]:
        """Its child processes whose command holds `word`."""
        found = []
        try:
            for child in psutil.Process(self.process.pid).children(recursive=True):
                if word in " ".join(child.cmdline()):
                    found.append(child)
        except psutil.NoSuchProcess:
            pass
        return found

    def kill(self) -> None:
        """SIGKILL; its children must follow."""
        children = self.children()
        if self.is_alive:
            os.kill(self.process.pid, signal.SIGKILL)
        self._reap()
        self._await_end_of(children)

    def died(self, *, patience_s: float) -> bool:
        """Whether it dies by itself in that time; it is reaped then, and its children are gone."""
        children = self.children()
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            return False
        self._reap()
        self._await_end_of(children)
        return True

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        children = self.children()
        self.process.terminate()
        status = self._reap()
        self._await_end_of(children)
        return status

    def close(self) -> None:
        if self.is_alive:
            self.kill()
        self.web.close()
        self._output.close()

    def _await_end_of(self, children: Sequence[psutil.Process]) -> None:
        """They may outlive their parent by ORPHAN_S; who lives longer is noted, and killed."""
        deadline_s = time.monotonic() + ORPHAN_S
        while (living := list(filter(_lives, children))) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        for child in living:
            self.log.orphans.append(" ".join(child.cmdline()))
            child.kill()

    def _reap(self) -> int:
        with self.process:
            return self.process.wait(STOP_S)


def _lives(process: psutil.Process) -> bool:
    """A zombie is dead; who inherits it may take its time to reap it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
