"""Another program holds the database: accepted jobs wait for it, and none stays behind."""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.contract.makers import MANY
from tests.recordings import tone, write_wav
from tests.running import has_windows, running, settings_for, submit, text_of, until
from voice_transcriber.data_folder import DataFolder
from voice_transcriber.job import Lane
from voice_transcriber.services import Services


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="voice_transcriber")


def impatient(services: Services) -> None:
    services.store._writer.run(  # type: ignore[attr-defined]
        lambda transaction: transaction.db.execute("PRAGMA busy_timeout=10")
    )


def test_a_job_outlasts_a_lock(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "talk.wav", tone(600))
    with running(settings_for(tmp_path, ENGINE_ISOLATION="thread")) as services:
        impatient(services)
        job = submit(services, recording)
        until(lambda: has_windows(services, job, 1))
        database = DataFolder(services.settings.data_dir).database
        with closing(sqlite3.connect(database, isolation_level=None)) as outside:
            outside.execute("PRAGMA busy_timeout=10000")
            outside.execute("BEGIN IMMEDIATE")
            time.sleep(3)
            assert services.store.get(job.id).is_live
        assert text_of(services, job)


def test_a_job_that_no_thread_has_is_queued_again(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "talk.wav", tone(5))
    with running(settings_for(tmp_path, ENGINE_ISOLATION="thread")) as services:
        workers = services._workers
        workers.drain(grace_s=0)
        job = submit(services, recording)
        claimed = services.store.claim(lane=Lane.MAIN, owner=workers._owner, express_max_s=0)
        assert claimed is not None
        workers._stopping = False
        workers.supervise()
        workers.supervise()
        assert text_of(services, job)


def test_a_full_disk_does_not_keep_the_server_from_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    settings = settings_for(tmp_path, ENGINE_ISOLATION="thread")
    with running(settings):
        monkeypatch.setattr(DataFolder, "note", full)
    monkeypatch.undo()
    with running(settings) as services:
        assert services.store.queue_order(limit=MANY) == []
