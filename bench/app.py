"""The program as a user starts it: `python app_main.py` on a free port with a folder of its own."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

PROJECT = Path(__file__).resolve().parents[1]
START_LIMIT_S = 60.0
_READY_POLL_S = 0.005
_JOB_POLL_S = 0.25


class App:
    """A running server.

    `ready_s` is the time from its start to the first good answer, `ready_cpu_s` what it computed
    until then: less than the time on an idle machine, and much the same on a busy one.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int, *, ready_s: float) -> None:
        self.ready_s = ready_s
        self.process = psutil.Process(process.pid)
        self.ready_cpu_s = sum(self.process.cpu_times()[:2])
        self.web = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600.0, trust_env=False)

    def submit(self, path: Path, **fields: str) -> str:
        """The id of the new job."""
        with path.open("rb") as file:
            answer = self.web.post("/api/v1/jobs", files={"file": (path.name, file)}, data=fields)
        answer.raise_for_status()
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self.web.get(f"/api/v1/jobs/{job_id}")
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def wait(self, job_id: str, *statuses: str) -> dict[str, Any]:
        """The job once it has one of the statuses (default: completed)."""
        wanted = statuses or ("completed",)
        while (job := self.job(job_id))["status"] not in wanted:
            if job["status"] in {"failed", "cancelled"}:
                raise SystemExit(f"{job['filename']} {job['status']}: {job['error']}")
            time.sleep(_JOB_POLL_S)
        return job

    def text(self, job_id: str) -> str:
        answer = self.web.get(f"/api/v1/jobs/{job_id}/transcript.json")
        answer.raise_for_status()
        return str(answer.json()["text"])

    def cancel_all(self) -> None:
        for job in self.web.get("/api/v1/jobs?limit=200&status=queued,running").json()["jobs"]:
            self.web.post(f"/api/v1/jobs/{job['id']}/cancel")


def clean_environment(folder: Path) -> dict[str, str]:
    """Settings with the demo model and folders below `folder`; the caller's own are left out."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "DATA_DIR": str(folder / "data"),
        "WHISPER_MODEL_DIR": str(folder / "models"),
        "ENGINE": "openai-whisper",
        "DEFAULT_MODEL": "demo",
        "ENABLE_CACHE": "false",  # the same recordings are read again and again
    }


@contextmanager
def running_app(folder: Path, **settings: str) -> Iterator[App]:
    """Settings by the names of the environment; the caller's own are not passed on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    values = {"HOST": "127.0.0.1", "PORT": str(port), "SHUTDOWN_GRACE": "1"}
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "app_main.py"],
        cwd=PROJECT,
        env={**clean_environment(folder), **values, **settings},
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_ready(process, port)
        app = App(process, port, ready_s=time.monotonic() - started)
        with app.web:
            yield app
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait_ready(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"The server did not start (exit status {process.poll()}).")
        time.sleep(_READY_POLL_S)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
