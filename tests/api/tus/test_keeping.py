"""What is kept of uploads, until when, and over a restart."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import stored_files
from tests.api.tus_requests import SOUND, VERSION, Send, offset_of, submit
from voice_transcriber.app import create_app
from voice_transcriber.errors import DiskFull, StorageRefuses
from voice_transcriber.services import Services
from voice_transcriber.web.tus import CHUNK_TYPE


def test_an_expired_upload_is_deleted(announce: Send, client: FlaskClient, settings: Any) -> None:
    address = announce().location
    services = client.application.extensions["voice_transcriber.services"]
    services.uploads.tidy()
    assert len(stored_files(services)) == 1
    services.store._clock = lambda: time.time() + 90_000
    assert client.head(address, headers=VERSION).status_code == 404
    services.uploads.tidy()
    assert stored_files(services) == []
    assert not services.store.upload_ids()


def test_an_expired_upload_with_a_job_leaves_the_job(
    whole: Callable[..., str], client: FlaskClient, services: Services
) -> None:
    upload_id = whole()
    job_id = submit(client, upload_id).json["id"]
    services.store._clock = lambda: time.time() + 90_000  # type: ignore[attr-defined]
    services.uploads.tidy()
    assert not services.store.upload_ids()
    assert client.get(f"/api/v1/jobs/{job_id}/audio").data == SOUND


def test_a_file_that_no_upload_names_is_deleted_when_it_is_old(
    announce: Send, services: Services
) -> None:
    announce()
    (part,) = stored_files(services)
    stray = part.with_name("f" * 32)
    stray.write_bytes(b"left by a database that was lost")
    services.uploads.tidy()
    assert stray.exists()
    old = time.time() - 90_000
    os.utime(stray, (old, old))
    services.uploads.tidy()
    assert stored_files(services) == [part]


def test_an_upload_that_is_worked_on_is_not_waited_for(
    whole: Callable[..., str],
    client: FlaskClient,
    services: Services,
) -> None:
    upload_id = whole()
    address = f"/files/{upload_id}"
    with services.uploads._locked(upload_id):
        answers = [submit(client, upload_id), client.delete(address, headers=VERSION)]
        services.uploads.tidy()
    assert [(one.status_code, one.json["code"]) for one in answers] == [(503, "busy")] * 2
    assert all(one.headers["Retry-After"] for one in answers)
    assert submit(client, upload_id).status_code == 202


def test_a_job_is_told_though_a_clean_up_failed(
    whole: Callable[..., str],
    client: FlaskClient,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    upload_id = whole()

    def refuse() -> None:
        raise StorageRefuses

    with monkeypatch.context() as failing:
        failing.setattr(services.store, "blobs_in_use", refuse)
        services.manager.delete_unneeded_blob("a" * 64)
        assert submit(client, upload_id).status_code == 202
    assert "could not be deleted" in caplog.text


def test_what_cannot_be_tidied_stops_nobody(
    services: Services, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full() -> None:
        raise DiskFull

    monkeypatch.setattr(services.store, "forget_requests", full)
    services.uploads.tidy()
    assert "could not be tidied" in caplog.text


def test_a_restart_changes_nothing(
    announce: Send, patch: Send, client: FlaskClient, services: Services, settings: Any
) -> None:
    address = announce().location
    patch(address, 0, SOUND[:1000])
    services.stop()
    again = Services(settings)
    try:
        again.start()
        web = create_app(settings, again).test_client()
        assert offset_of(web, address) == 1000
        told = VERSION | {"Upload-Offset": "1000", "Content-Type": CHUNK_TYPE}
        assert web.patch(address, data=SOUND[1000:], headers=told).status_code == 204
        job = submit(web, address.rsplit("/", 1)[1]).json
        sha256 = again.store.get(job["id"]).blob_sha256
        assert sha256 == hashlib.sha256(SOUND).hexdigest()
    finally:
        again.stop()
