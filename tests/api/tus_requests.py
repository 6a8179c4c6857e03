"""What a client says to /files, and how it asks for the job."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import SPEECH

VERSION = {"Tus-Resumable": "1.0.0"}
SOUND = SPEECH.read_bytes()

Send = Callable[..., TestResponse]


def metadata(**values: str) -> str:
    pairs = {"filename": "Grüße an alle.wav", **values}
    return ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in pairs.items())


def offset_of(client: FlaskClient, address: str) -> int:
    return int(client.head(address, headers=VERSION).headers["Upload-Offset"])


def submit(client: FlaskClient, upload_id: str, **fields: Any) -> TestResponse:
    return client.post("/api/v1/jobs", data={"upload": upload_id, **fields})
