"""A database that is lost, damaged or of yesterday: what was accepted and finished comes back."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Start
from tests.running import DEMO, blob_files, ended, settings_for, submit, text_of, until
from voice_transcriber.data_folder import DataFolder
from voice_transcriber.errors import NotFound
from voice_transcriber.job import Job, JobStatus, NewJob
from voice_transcriber.jobs.sidecar import Sidecars
from voice_transcriber.services import Services
from voice_transcriber.web.system_shapes import SystemShape

Break = Callable[[DataFolder], None]


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


def remove(folder: DataFolder) -> None:
    for path in folder.root.glob("jobs.db*"):
        path.unlink()


def empty(folder: DataFolder) -> None:
    os.truncate(folder.database, 0)


def no_database(folder: DataFolder) -> None:
    folder.database.write_bytes(b"not a database, but long enough to be one" * 100)


def overwrite_all_but_the_header(folder: DataFolder) -> None:
    size_bytes = folder.database.stat().st_size
    with folder.database.open("r+b") as file:
        file.seek(200)
        file.write(os.urandom(size_bytes - 200))


ALL_LOST = [remove, empty, no_database, overwrite_all_but_the_header]


def submitted(services: Services, sounds: Path, name: str = "clip") -> Job:
    return submit(services, sounds / f"{name}.wav")


def lasting(job: Job) -> Job:
    """Without what belongs to one database, and to a clock that was read a moment earlier."""
    return replace(job, seq=0, revision=0, finished_at=None, attempt=0)


def details(services: Services) -> dict[str, str | None]:
    return dict(services.health().details["database"])


@pytest.mark.parametrize("lose", ALL_LOST)
def test_a_finished_job_comes_back_as_it_was(
    start: Start, sounds: Path, folder: DataFolder, lose: Break
) -> None:
    services = start()
    job = submit(services, sounds / "clip.wav", options=replace(DEMO, language="en"))
    text = text_of(services, job)
    before = services.store.get(job.id)
    services.stop()
    lose(folder)
    again = start()
    assert lasting(again.store.get(job.id)) == lasting(before)
    assert again.store.transcript(job.id).text == text
    assert again.blobs.path(job.blob_sha256).read_bytes() == (sounds / "clip.wav").read_bytes()
    assert "could not be used" in str(details(again)["repair"])
    assert "1 finished jobs" in str(details(again)["brought_back"])
    assert "could not be used" in SystemShape.of(again).notices[0]
    assert again.health().ready


def test_a_job_that_waited_comes_back_and_is_done(
    start: Start, sounds: Path, folder: DataFolder, true_texts: dict[str, str]
) -> None:
    services = start(MAX_CONCURRENT_JOBS="1")
    running, waiting = submitted(services, sounds, "long"), submitted(services, sounds, "minutes")
    until(lambda: services.store.get(running.id).status is JobStatus.RUNNING)
    services.manager.cancel(running.id)
    ended(services, running)
    services.stop()
    remove(folder)
    again = start()
    assert text_of(again, waiting) == true_texts["minutes"]
    assert again.store.get(waiting.id).filename == "minutes.wav"
    assert again.store.get(running.id).status is JobStatus.CANCELLED


def test_a_recording_that_nobody_knows_is_kept_and_can_be_transcribed(
    start: Start, sounds: Path, folder: DataFolder, true_texts: dict[str, str]
) -> None:
    services = start()
    ended(services, submitted(services, sounds))
    services.stop()
    remove(folder)
    shutil.rmtree(folder.transcripts)
    again = start()
    (job,) = again.store.page(limit=9).jobs
    assert (job.status, job.error and job.error.code) == (JobStatus.FAILED, "job_record_lost")
    again.manager.retry(job.id)
    assert text_of(again, job) == true_texts["clip"]


def test_no_recording_is_deleted_beside_a_new_database(
    start: Start, sounds: Path, folder: DataFolder
) -> None:
    """Nor beside one that was copied there, of whatever age the recordings are."""
    services = start()
    ended(services, submitted(services, sounds))
    services.stop()
    (recording,) = blob_files(services)
    os.utime(recording, (0, 0))
    other = Services(settings_for(folder.root / "other"))
    other.stop()
    remove(folder)
    shutil.rmtree(folder.transcripts)
    shutil.copy(folder.root / "other" / "data" / "jobs.db", folder.database)
    again = start(CLEANUP_INTERVAL="1")
    time.sleep(2.5)
    assert recording.exists()
    assert len(again.store.page(limit=9).jobs) == 1


def test_what_yesterdays_database_does_not_know_comes_back(
    start: Start, sounds: Path, folder: DataFolder
) -> None:
    services = start()
    old = submitted(services, sounds)
    text_of(services, old)
    backup = services.backups.make(folder.database, now=datetime.now(UTC))
    new = submitted(services, sounds, "other clip")
    text = text_of(services, new)
    services.manager.delete(old.id)
    services.stop()
    no_database(folder)
    again = start()
    assert str(backup) in str(details(again)["repair"])
    assert again.store.transcript(new.id).text == text
    with pytest.raises(NotFound):
        again.store.get(old.id)
    again.stop()
    (moved,) = folder.quarantine.iterdir()
    assert (moved / "jobs.db").read_bytes().startswith(b"not a database")


def test_a_job_that_ended_after_the_backup_is_not_done_again(
    start: Start, sounds: Path, folder: DataFolder
) -> None:
    services = start(MAX_CONCURRENT_JOBS="1")
    job = submitted(services, sounds, "minutes")
    services.backups.make(folder.database, now=datetime.now(UTC))
    text = text_of(services, job)
    services.stop()
    remove(folder)
    again = start()
    assert again.store.get(job.id).status is JobStatus.COMPLETED
    assert again.store.transcript(job.id).text == text


def test_a_damaged_backup_is_passed_over(start: Start, sounds: Path, folder: DataFolder) -> None:
    services = start()
    ended(services, submitted(services, sounds))
    good = services.backups.make(folder.database, now=datetime(2026, 1, 1, tzinfo=UTC))
    bad = services.backups.make(folder.database, now=datetime(2026, 1, 2, tzinfo=UTC))
    bad.write_bytes(b"x" * 5000)
    services.stop()
    remove(folder)
    assert str(good) in str(details(start())["repair"])


def test_a_transcript_of_an_older_version_comes_back(
    start: Start, sounds: Path, folder: DataFolder
) -> None:
    services = start()
    job = submitted(services, sounds)
    text = text_of(services, job)
    services.stop()
    path = folder.transcripts / f"{job.id}.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    del values["job"], values["checksum"]
    path.write_text(json.dumps(values), encoding="utf-8")
    remove(folder)
    again = start()
    assert again.store.transcript(job.id).text == text
    assert again.store.get(job.id).filename == f"recovered {job.id[:12]}"


def test_files_that_an_older_version_did_not_write_are_written(
    start: Start, sounds: Path, folder: DataFolder
) -> None:
    services = start()
    job = submitted(services, sounds)
    ended(services, job)
    services.stop()
    path = folder.transcripts / f"{job.id}.json"
    whole = path.read_bytes()
    path.unlink()
    start()
    until(path.exists)
    assert json.loads(path.read_bytes())["job"]["filename"] == "clip.wav"
    assert len(path.read_bytes()) == pytest.approx(len(whole), abs=100)


def test_a_deletion_that_was_cut_off_is_ended(
    start: Start, sounds: Path, folder: DataFolder
) -> None:
    services = start()
    job = submitted(services, sounds)
    ended(services, job)
    services.store.delete(job.id)
    services.stop()
    again = start()
    assert list(folder.transcripts.glob(f"{job.id}*")) == []
    with pytest.raises(NotFound):
        again.store.get(job.id)


def test_a_job_has_its_record_after_its_row_and_before_the_answer(
    start: Start, sounds: Path, folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record alone would come back as a job, and its client asks for it again."""
    services = start(MAX_CONCURRENT_JOBS="1")
    submitted(services, sounds, "long")  # the other one waits
    recorded: list[Path] = []
    add = services.store.add

    def look_and_add(new: NewJob, **options: Any) -> Job:
        recorded.extend(folder.transcripts.glob(f"{new.id}*"))
        return add(new, **options)

    monkeypatch.setattr(services.store, "add", look_and_add)
    job = submitted(services, sounds, "minutes")
    assert recorded == []
    assert (folder.transcripts / f"{job.id}.job").exists()


def test_a_record_that_a_kill_left_out_is_written(
    start: Start, sounds: Path, folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = start(MAX_CONCURRENT_JOBS="1")
    submitted(services, sounds, "long")
    with monkeypatch.context() as killed:
        killed.setattr(Sidecars, "note", lambda *_: None)
        job = submitted(services, sounds, "minutes")
    record = folder.transcripts / f"{job.id}.job"
    assert not record.exists()
    services.stop()
    again = start(MAX_CONCURRENT_JOBS="1")
    until(lambda: record.exists() or not again.store.get(job.id).is_live)
    assert again.store.page(limit=9).total == 2


def test_a_garbled_file_beside_a_good_database_hurts_nobody(
    start: Start, sounds: Path, folder: DataFolder
) -> None:
    services = start()
    job = submitted(services, sounds)
    text = text_of(services, job)
    services.stop()
    (folder.transcripts / f"{job.id}.json").write_bytes(os.urandom(500))
    (folder.transcripts / "stranger.json").write_bytes(b"{")
    (folder.transcripts / "stranger.job").write_bytes(b"\xff")
    again = start()
    assert text_of(again, job) == text


def test_a_transcript_that_was_altered_in_the_database_is_not_served(
    start: Start, sounds: Path, folder: DataFolder
) -> None:
    services = start()
    job = submitted(services, sounds)
    text = text_of(services, job)
    services.stop()
    with closing(sqlite3.connect(folder.database)) as db, db:
        db.execute("UPDATE transcripts SET content = replace(content, ?, ?)", [text[:4], "nope"])
    again = start()
    assert again.store.transcript(job.id).text == text
    assert "was altered" in str(details(again)["repair"])


def test_an_orderly_stop_is_noted(start: Start, folder: DataFolder) -> None:
    services = start()
    running = folder.state()
    services.stop()
    stopped = folder.state()
    assert running is not None
    assert stopped is not None
    assert (running.stopped, stopped.stopped) == (False, True)
    assert not stopped.recovering


def test_a_recovery_that_was_cut_off_goes_on(
    start: Start, sounds: Path, folder: DataFolder
) -> None:
    """The process died after a new database was begun and before jobs came back."""
    services = start()
    job = submitted(services, sounds)
    text = text_of(services, job)
    services.stop()
    remove(folder)
    Services(settings_for(folder.root.parent)).stop()
    again = start()
    assert text_of(again, job) == text
