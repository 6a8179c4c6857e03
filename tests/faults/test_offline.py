"""Offline: no process of the program asks for a connection that leaves the machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.server import Server
from tests.running import until

WATCHER = Path(__file__).parent / "watcher"
SPEECH = Path(__file__).parents[1] / "data" / "audio" / "en_5s.wav"
PAGES = ("/", "/models", "/system", "/settings", "/api/docs", "/api/redoc")
FRAGMENTS = ("/ui/models", "/api/v1/models", "/api/v1/system", "/api/v1/jobs", "/health")

pytestmark = pytest.mark.slow

Start = Callable[..., Server]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "network.log"


@pytest.fixture
def start(tmp_path: Path, log: Path) -> Iterator[Start]:
    """The real engine, with all that it loads, under the watcher."""
    started: list[Server] = []

    def under_watch(**values: str) -> Server:
        watched = {"PYTHONPATH": f"{WATCHER}{os.pathsep}{log.parent}"}
        real = {"ENGINE": "openai-whisper", "AUDIO_OPTIMIZATION": "true"}
        server = Server(tmp_path, **watched, **real, **values)
        started.append(server)
        server.start()
        return server

    yield under_watch
    for server in started:
        server.close()


def web(server: Server) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{server.environ['PORT']}", trust_env=False)


def watched(log: Path) -> str:
    """The commands of the processes that the watcher looked into."""
    return "\n".join(line for line in log.read_text().splitlines() if " watching " in line)


def leaving(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if " watching " not in line]


def test_nothing_leaves_the_machine(start: Start, log: Path) -> None:
    server = start(OFFLINE="true", PRELOAD_MODELS="demo")
    job_id = server.submit(SPEECH)
    assert job_id is not None
    assert server.text(job_id)
    with web(server) as client:
        for path in (*PAGES, *FRAGMENTS, f"/jobs/{job_id}", f"/api/v1/jobs/{job_id}/audio"):
            assert client.get(path).status_code == 200, path
        refused = client.post("/api/v1/models/base/download")
        assert (refused.status_code, refused.json()["code"]) == (409, "offline")
        with SPEECH.open("rb") as file:
            needs_base = client.post(
                "/api/v1/jobs", files={"file": file}, data={"model": "base"}
            ).json()["id"]
    error = server.finish(needs_base)["error"]
    assert error["code"] == "offline"
    assert "Copy base.pt into WHISPER_MODEL_DIR" in error["remedy"]
    assert server.stop() == 0

    for process in ("app_main.py", "voice_transcriber.engines.child", "decoder_child"):
        assert process in watched(log)
    assert leaving(log) == []


def test_the_watcher_would_have_seen_it(start: Start, log: Path) -> None:
    server = start(OFFLINE="false")
    with web(server) as client:
        assert client.post("/api/v1/models/base/download").status_code == 202
    until(lambda: leaving(log))
    assert "socket.getaddrinfo" in leaving(log)[0]
    assert "openaipublic.azureedge.net" in leaving(log)[0]
