"""A client of /files, which speaks tus 1.0.0."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.tus_requests import SOUND, VERSION, Send, metadata
from voice_transcriber.web.tus import CHUNK_TYPE


@pytest.fixture
def environment() -> dict[str, str]:
    return {"MAX_FILE_SIZE": "20MB", "MAX_QUEUE_SIZE": "3"}


@pytest.fixture
def announce(client: FlaskClient) -> Send:
    def send(size_bytes: int = len(SOUND), **changes: str) -> TestResponse:
        headers = {"Upload-Length": str(size_bytes), "Upload-Metadata": metadata()}
        return client.post("/files", headers=VERSION | headers | changes)

    return send


@pytest.fixture
def patch(client: FlaskClient) -> Send:
    def send(address: str, offset: int, data: bytes, **headers: str) -> TestResponse:
        told = {"Upload-Offset": str(offset), "Content-Type": CHUNK_TYPE}
        return client.patch(address, data=data, headers=VERSION | told | headers)

    return send


@pytest.fixture
def whole(announce: Send, patch: Send) -> Callable[..., str]:
    """The id of an upload whose bytes are all there."""

    def make(data: bytes = SOUND, **values: str) -> str:
        address = announce(len(data), **{"Upload-Metadata": metadata(**values)}).location
        assert patch(address, 0, data).status_code == 204
        return address.rsplit("/", 1)[1]

    return make
