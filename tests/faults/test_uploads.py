"""An upload over a bad line to a server that is killed meanwhile: not a byte is lost."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import httpx
import pytest

from tests.faults.resumed_uploads import CHUNK_TYPE, VERSION, resumed_upload
from tests.faults.server import Server

SIZE_BYTES = 12_000_000
CHUNK_BYTES = 256 * 1024
DISCONNECTS = 100
RESTARTS = 6

CONTENT = b"RIFF" + bytes(range(256)) * 500


@pytest.mark.slow
def test_an_upload_survives_a_hundred_disconnects_and_restarts(tmp_path: Path) -> None:
    figures = resumed_upload(
        tmp_path,
        size_bytes=SIZE_BYTES,
        disconnects=DISCONNECTS,
        restarts=RESTARTS,
        chunk_bytes=CHUNK_BYTES,
    )
    assert figures.is_equal
    assert len(figures.jobs) == 1
    assert (figures.disconnects, figures.restarts) == (DISCONNECTS, RESTARTS)
    assert figures.disk_factor <= 1.1


@pytest.mark.slow
@pytest.mark.parametrize(
    "place",
    ["after-body", "after-fsync", "after-rename", *(f"before-commit:{n}" for n in range(2, 6))],
)
def test_a_kill_while_an_upload_becomes_a_job_leaves_one_job(tmp_path: Path, place: str) -> None:
    """Its bytes are there under the upload's name or under their own, whenever it comes."""
    server = Server(tmp_path)
    try:
        server.start()
        upload_id = _upload(server)
        server.stop()
        server.launch(kill_at=place)
        told = _submit(server, upload_id) if server.wait_ready() else None
        server.kill()
        server.start()
        job_id = _submit(server, upload_id)
        assert job_id is not None
        assert told in {None, job_id}
        assert _submit(server, upload_id) == job_id
        assert [job["id"] for job in server.jobs()] == [job_id]
        recording = server.web.get(f"/api/v1/jobs/{job_id}/audio").content
        assert hashlib.sha256(recording).digest() == hashlib.sha256(CONTENT).digest()
    finally:
        server.close()


def _upload(server: Server) -> str:
    name = base64.b64encode(b"noise.wav").decode()
    headers = {"Upload-Length": str(len(CONTENT)), "Upload-Metadata": f"filename {name}"}
    kind = {"Content-Type": CHUNK_TYPE}
    answer = server.web.post("/files", content=CONTENT, headers=VERSION | headers | kind)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"].rsplit("/", 1)[1])


def _submit(server: Server, upload_id: str) -> str | None:
    """The job's id; None when the server died before it told."""
    try:
        answer = server.web.post("/api/v1/jobs", data={"upload": upload_id})
    except httpx.TransportError:
        return None
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])
