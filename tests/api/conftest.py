"""The application over real services that were built but not started: jobs stay as they are led."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from tests.contract.makers import Jobs
from voice_transcriber.app import create_app
from voice_transcriber.files import free_bytes
from voice_transcriber.services import Services
from voice_transcriber.settings import Settings
from voice_transcriber.web.server import Server, serve

SPEECH = Path(__file__).parents[1] / "data" / "audio" / "en_5s.wav"


@pytest.fixture
def environment() -> dict[str, str]:
    """Settings beyond the defaults; a test module may override it."""
    return {}


@pytest.fixture
def settings(tmp_path: Path, environment: dict[str, str]) -> Settings:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folders = {"DATA_DIR": str(tmp_path / "data"), "WHISPER_MODEL_DIR": str(tmp_path / "models")}
    values = {"ENGINE": "fake", "DEFAULT_MODEL": "demo", "PORT": str(port)}
    return Settings.from_mapping(values | folders | environment)


class Disk:
    """The server's, as full as a test says."""

    def __init__(self) -> None:
        self.room_bytes: int | None = None  # None: what the real one has

    def free_bytes(self, folder: Path) -> int:
        return free_bytes(folder) if self.room_bytes is None else self.room_bytes


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def services(settings: Settings, disk: Disk) -> Iterator[Services]:
    built = Services(settings, free_bytes=disk.free_bytes)
    yield built
    built.stop()


@pytest.fixture
def app(settings: Settings, services: Services) -> Flask:
    return create_app(settings, services)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def jobs(services: Services) -> Jobs:
    return Jobs(services.store)


@pytest.fixture
def submit(client: FlaskClient) -> Callable[..., TestResponse]:
    def send(content: bytes = b"RIFF", name: str = "talk.wav", **fields: Any) -> TestResponse:
        file = FileStorage(io.BytesIO(content), filename=name)
        boundary, body = encode_multipart({"file": file, **fields})
        return client.post(
            "/api/v1/jobs", data=body, content_type=f"multipart/form-data; boundary={boundary}"
        )

    return send


@pytest.fixture(autouse=True)
def temp_dir() -> Iterator[None]:
    """Serving moves the process's temporary files to the data disk."""
    before = tempfile.tempdir
    yield
    tempfile.tempdir = before


@pytest.fixture
def server(app: Flask, services: Services, tmp_path: Path) -> Iterator[Server]:
    """The real server, on a port of its own."""
    listening = serve(app, services, spool_dir=tmp_path / "spool")
    thread = threading.Thread(target=listening.run)
    thread.start()
    yield listening
    listening.close()
    thread.join()


@pytest.fixture
def web(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as web:
        yield web


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk can be mounted only by root, on Linux")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def stored_files(services: Services) -> list[Path]:
    """All files that uploads have left, finished and partial."""
    folder = services.settings.data_dir / "blobs"
    return [path for path in folder.rglob("*") if path.is_file()]
