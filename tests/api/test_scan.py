"""SCAN_UPLOADS: nothing that clamd has not found clean becomes a job."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import SPEECH, stored_files
from tests.clamd import VIRUS, FakeClamd, fake_clamd
from voice_transcriber.errors import Infected, ScannerAway
from voice_transcriber.job import Job, JobStatus
from voice_transcriber.jobs.recovered_jobs import job_of_recording
from voice_transcriber.jobs.scanner import SCANS_AT_ONCE, Clamd
from voice_transcriber.services import Services

Submit = Callable[..., TestResponse]


@pytest.fixture
def clamd() -> Iterator[FakeClamd]:
    with fake_clamd() as running:
        yield running


@pytest.fixture
def environment(clamd: FakeClamd) -> dict[str, str]:
    return {"SCAN_UPLOADS": "true", "CLAMD_ADDRESS": clamd.address}


def refused(answer: TestResponse, services: Services) -> tuple[int, str]:
    """Status and code; nothing is kept of what was refused."""
    assert services.store.page(limit=10).total == 0
    assert stored_files(services) == []
    return answer.status_code, answer.json["code"]


def test_what_is_clean_becomes_a_job(submit: Submit, clamd: FakeClamd) -> None:
    assert submit(SPEECH.read_bytes()).status_code == 202
    assert clamd.scanned == [SPEECH.read_bytes()]


def test_what_is_infected_is_refused_and_removed(submit: Submit, services: Services) -> None:
    answer = submit(b"RIFF" + bytes(600_000) + VIRUS)
    assert refused(answer, services) == (422, "infected")
    assert "Test.Virus-1" in answer.json["detail"]


def test_an_upload_in_pieces_is_scanned_too(client: FlaskClient, services: Services) -> None:
    tus = {"Tus-Resumable": "1.0.0"}
    content = b"RIFF" + VIRUS
    head = {**tus, "Upload-Length": str(len(content)), "Upload-Metadata": "filename dC53YXY="}
    place = client.post("/files", headers=head).headers["Location"]
    head = {**tus, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert client.patch(place, data=content, headers=head).status_code == 204
    answer = client.post(
        "/api/v1/jobs",
        data={"upload": place.rsplit("/", 1)[1]},
        content_type="multipart/form-data",
    )
    assert refused(answer, services) == (422, "infected")
    assert client.head(place, headers=tus).status_code == 404


def test_while_clamd_is_away_nothing_is_taken(
    submit: Submit, services: Services, clamd: FakeClamd
) -> None:
    clamd.stop()
    answer = submit()
    assert refused(answer, services) == (503, "scanner_away")
    assert answer.headers["Retry-After"]
    assert "CLAMD_ADDRESS" in answer.json["remedy"]


def test_a_file_that_is_too_large_for_clamd_is_told_so(
    submit: Submit, services: Services, clamd: FakeClamd
) -> None:
    clamd.max_stream_bytes = 100_000
    answer = submit(b"RIFF" + bytes(5_000_000))
    assert refused(answer, services) == (413, "file_too_large")
    assert "StreamMaxLength" in answer.json["remedy"]


@pytest.mark.parametrize(
    "says",
    [
        b"",
        b"\0",
        b"stream: OK",  # cut off: no zero byte
        b"stream: OKAY\0",
        b"stream: FOUND\0",
        b"lstat() failed: ERROR\0",
        b"\xff\xfe\x00",
        b"<html>502</html>\0",
        b"x" * 100_000,
    ],
)
def test_what_is_no_verdict_lets_nothing_through(
    submit: Submit, services: Services, clamd: FakeClamd, says: bytes
) -> None:
    clamd.says = says
    assert refused(submit(), services) == (503, "scanner_away")


def left_alone(services: Services, content: bytes) -> Job:
    """What a start finds of an upload when the database is lost."""
    upload = services.blobs.writer()
    upload.write(content)
    blob = upload.commit()
    job = job_of_recording(blob.sha256, size_bytes=len(content), came_at=0.0, model="demo")
    services.store.bring_back(job, None)
    return job


def test_a_recording_without_its_job_is_scanned_before_its_retry(
    client: FlaskClient, services: Services, clamd: FakeClamd
) -> None:
    job = left_alone(services, SPEECH.read_bytes())
    assert client.get(f"/api/v1/jobs/{job.id}/audio").status_code == 409
    assert client.post(f"/api/v1/jobs/{job.id}/retry").status_code == 202
    assert clamd.scanned == [SPEECH.read_bytes()]
    assert client.get(f"/api/v1/jobs/{job.id}/audio").status_code == 200


def test_one_that_is_infected_goes_with_its_job(client: FlaskClient, services: Services) -> None:
    job = left_alone(services, b"RIFF" + VIRUS)
    answer = client.post(f"/api/v1/jobs/{job.id}/retry")
    assert refused(answer, services) == (422, "infected")


def test_one_that_cannot_be_scanned_waits_for_a_later_retry(
    client: FlaskClient, services: Services, clamd: FakeClamd
) -> None:
    job = left_alone(services, SPEECH.read_bytes())
    clamd.stop()
    answer = client.post(f"/api/v1/jobs/{job.id}/retry")
    assert (answer.status_code, answer.json["code"]) == (503, "scanner_away")
    assert services.store.get(job.id).status is JobStatus.FAILED
    assert services.blobs.path(job.blob_sha256).exists()


def test_only_some_are_scanned_at_a_time(submit: Submit, services: Services) -> None:
    scanner = services.manager.scan._scanner
    assert scanner is not None
    with ExitStack() as others:
        for _ in range(SCANS_AT_ONCE):
            others.enter_context(scanner._places)
        assert refused(submit(), services) == (503, "busy")
    assert submit().status_code == 202


@pytest.mark.parametrize("fault", ["is_silent", "takes_nothing"])
def test_a_scanner_that_hangs_is_given_up(clamd: FakeClamd, tmp_path: Path, fault: str) -> None:
    setattr(clamd, fault, True)
    recording = tmp_path / "a.wav"
    recording.write_bytes(bytes(20_000_000))
    with pytest.raises(ScannerAway, match="timed out"):  # the stand-in waits for its own end
        Clamd(clamd.address, silence_s=0.3).check(recording)
    assert not clamd.over.is_set()


def test_a_scanner_that_dawdles_is_given_up(tmp_path: Path) -> None:
    """It takes and says a byte now and then: only the limit of the whole ends that."""
    recording = tmp_path / "a.wav"
    recording.write_bytes(b"RIFF")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def dawdle() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                for _ in range(50):
                    connection.sendall(b"s")
                    time.sleep(0.1)

        thread = threading.Thread(target=dawdle)
        thread.start()
        with pytest.raises(ScannerAway, match="too long"):
            Clamd(f"127.0.0.1:{port}", limit_s=0.5).check(recording)
        thread.join()


def test_a_socket_on_this_machine_is_as_good(tmp_path: Path) -> None:
    recording = tmp_path / "a.wav"
    recording.write_bytes(VIRUS)
    with fake_clamd(tmp_path / "clamd.sock") as clamd, pytest.raises(Infected):
        Clamd(clamd.address).check(recording)
    with pytest.raises(ScannerAway):
        Clamd(str(tmp_path / "nobody.sock")).check(recording)


def test_a_file_of_several_pieces_comes_as_it_is(clamd: FakeClamd, tmp_path: Path) -> None:
    recording = tmp_path / "a.wav"
    recording.write_bytes(bytes(range(256)) * 4000)
    Clamd(clamd.address).check(recording)
    assert clamd.scanned == [recording.read_bytes()]
