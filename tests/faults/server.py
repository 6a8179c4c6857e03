"""The real program in a process of its own, which a test may kill."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.running import until

PROJECT = Path(__file__).resolve().parents[2]
STOP_S = 60.0


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
    """Starts, kills and starts again on one data folder; acknowledged jobs are remembered."""

    def __init__(self, folder: Path, **values: str) -> None:
        self.environ = environment(folder, **values)
        self.data = Path(self.environ["DATA_DIR"])
        self.accepted: dict[str, str] = {}  # id -> name of the recording
        self._log = (folder / "server.log").open("ab")
        self._process: subprocess.Popen[str] | None = None
        self._web = httpx.Client(
            base_url=f"http://127.0.0.1:{self.environ['PORT']}", trust_env=False, timeout=30
        )

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process

    def start(self) -> None:
        self._process = program(self.environ, stdout=subprocess.PIPE, stderr=self._log)
        assert self._process.stdout is not None
        assert "is ready on" in self._process.stdout.readline()

    def submit(self, path: Path) -> str | None:
        """The id of the job when the server acknowledged it; None when it died before that."""
        try:
            with path.open("rb") as file:
                answer = self._web.post("/api/v1/jobs", files={"file": (path.name, file)})
        except httpx.TransportError:
            return None
        assert answer.status_code == 202, answer.text
        job_id = str(answer.json()["id"])
        self.accepted[job_id] = path.name
        return job_id

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self._web.get(f"/api/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def finish(self, job_id: str) -> dict[str, Any]:
        """The job when it has ended."""
        until(lambda: self.job(job_id)["status"] not in {"queued", "running"})
        return self.job(job_id)

    def text(self, job_id: str) -> str:
        job = self.finish(job_id)
        assert job["status"] == "completed", job
        answer = self._web.get(f"/api/v1/jobs/{job_id}/transcript.json")
        assert answer.status_code == 200
        return "".join(segment["text"] for segment in answer.json()["segments"]).strip()

    def kill(self) -> None:
        """SIGKILL; its children must follow."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        os.kill(self.process.pid, signal.SIGKILL)
        self._reap()
        until(lambda: not any(child.is_running() for child in children))

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.terminate()
        status = self._reap()
        until(lambda: not any(child.is_running() for child in children))
        return status

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self._web.close()
        self._log.close()

    def _reap(self) -> int:
        with self.process:
            return self.process.wait(STOP_S)
