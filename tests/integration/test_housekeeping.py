"""What is tidied up, when, and what is left alone."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.contract.makers import Clock, Jobs
from tests.integration.conftest import Start
from tests.running import (
    blob_files,
    ended,
    settings_for,
    submit,
    until,
    work_folders,
)
from voice_transcriber.data_folder import DataFolder
from voice_transcriber.errors import (
    ConfigurationError,
    DiskFull,
    NotFound,
)
from voice_transcriber.job import JobStatus
from voice_transcriber.jobs.housekeeping import ENGINE_LOG_BYTES, ENGINE_LOG_END_BYTES
from voice_transcriber.results.cache import ResultCache
from voice_transcriber.services import Services
from voice_transcriber.store.sqlite import SqliteStore


def test_a_start_removes_what_a_dead_process_left(start: Start, tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    (folder.work / "job-that-ended").mkdir()
    (folder.work / "job-that-ended" / "audio.pcm").write_bytes(b"\0\0")
    (folder.temp / "spooled upload").write_bytes(b"half")
    services = start()
    assert work_folders(services) == []
    assert list(folder.temp.iterdir()) == []


def test_backups_of_older_versions_go_after_a_week(start: Start, tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    old, young, own = (
        folder.database.with_name(name)
        for name in ("jobs.db.before-m0004", "jobs.db.before-m0005", "jobs.db.mine")
    )
    for path, days in ((old, 8), (young, 6), (own, 8)):
        path.touch()
        os.utime(path, (0, time.time() - days * 86_400))
    start()
    assert not old.exists()
    assert young.exists()
    assert own.exists()


@pytest.mark.parametrize(
    ("copy", "known"),
    [("jobs-20200302T120000Z.db", ["2020-03-02"]), ("jobs-20200303T120000Z.db", [])],
)
def test_an_old_deletion_is_forgotten_when_no_copy_is_older(
    start: Start, tmp_path: Path, copy: str, known: list[str]
) -> None:
    start().stop()
    folder = DataFolder(tmp_path / "data")
    folder.backups.mkdir()
    (folder.backups / copy).touch()
    young = f"{datetime.now(UTC):%Y-%m-%d}"
    noted = folder.transcripts / "deleted"
    noted.write_text("".join(f"{day} some-id-{day}\n" for day in ("2020-03-02", young)))
    start()
    assert noted.read_text().split()[::2] == [*known, young]


def test_a_cache_that_cannot_be_tidied_stops_no_start(
    start: Start, sounds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_cache: ResultCache) -> None:
        raise DiskFull

    monkeypatch.setattr(ResultCache, "tidy", no_room)
    services = start(ENABLE_CACHE="true")
    job = ended(services, submit(services, sounds / "clip.wav"))
    assert job.status is JobStatus.COMPLETED


def test_housekeeping_removes_old_strays_and_leaves_young_ones(
    start: Start, sounds: Path, tmp_path: Path
) -> None:
    services = start(CLEANUP_INTERVAL="1")
    kept = ended(services, submit(services, sounds / "clip.wav"))
    upload = services.blobs.writer()
    upload.write(b"half of an upload")
    (part,) = (path for path in blob_files(services) if path.stat().st_size == 17)
    temp = tmp_path / "data" / "tmp"
    old, young = temp / "old", temp / "young"
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    os.utime(part, (0, 0))
    orphan = tmp_path / "data" / "work" / "nobody"
    orphan.mkdir()
    until(lambda: not old.exists() and not part.exists() and not orphan.exists())
    upload.discard()
    assert young.exists()
    assert services.blobs.path(kept.blob_sha256).exists()


def test_of_a_large_engine_log_only_the_end_is_kept(start: Start, tmp_path: Path) -> None:
    start()
    log = DataFolder(tmp_path / "data").engine_log
    log.write_bytes(b"first" + bytes(ENGINE_LOG_BYTES) + b"last")
    until(lambda: log.stat().st_size == ENGINE_LOG_END_BYTES)
    assert log.read_bytes().endswith(b"last")


def test_jobs_are_deleted_when_their_days_are_over(start: Start, tmp_path: Path) -> None:
    """Two jobs of 1970 and of tomorrow: only the first one is old."""
    folder = DataFolder(tmp_path / "data")
    folder.create()
    clock = Clock()
    store = SqliteStore(folder.database, clock=clock)
    jobs = Jobs(store)
    old = jobs.completed()
    clock.now = time.time()
    young = jobs.completed()
    store.close()
    services = start(CLEANUP_INTERVAL="1", RETENTION_DAYS="1")
    until(lambda: services.store.counts()[JobStatus.COMPLETED] == 1)
    assert services.store.get(young.id)
    with pytest.raises(NotFound):
        services.store.get(old.id)


def test_without_a_retention_nothing_is_deleted(start: Start, tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    store = SqliteStore(folder.database, clock=Clock())
    job = Jobs(store).completed()
    store.close()
    services = start(CLEANUP_INTERVAL="1")
    stray = folder.temp / "old"
    stray.touch()
    os.utime(stray, (0, 0))
    until(lambda: not stray.exists())
    assert services.store.get(job.id).status is JobStatus.COMPLETED


def test_saving_memory_lets_go_of_the_model_when_no_job_is_left(start: Start, sounds: Path) -> None:
    services = start(MEMORY_OPTIMIZATION="true")
    ended(services, submit(services, sounds / "clip.wav"))
    until(lambda: services.engine.models == [])
    assert services.engine.is_running


def test_a_data_folder_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="data folder") as caught:
        Services(settings_for(tmp_path))
    assert "DATA_DIR" in caught.value.remedy
