"""Jobs from acceptance to their end, with real parts around the fake engine."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.contract.makers import Clock, Jobs
from tests.recordings import poison, silence, tone, write_wav
from tests.running import (
    ended,
    running,
    settings_for,
    submit,
    text_of,
    text_so_far,
    until,
    windows_done,
)
from voice_transcriber.data_folder import DataFolder
from voice_transcriber.errors import (
    ConfigurationError,
    DataFolderBusy,
    EmptyFile,
    NotFound,
    QueueFull,
    ShuttingDown,
)
from voice_transcriber.job import Job, JobStatus, Priority, TranscribeOptions, WindowStatus
from voice_transcriber.services import Services
from voice_transcriber.store.sqlite import SqliteStore

LONG_S = 1800  # 18 seconds of work for the fake engine: no test waits for its end
Start = Callable[..., Services]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start services, all on one data folder; at most one of them runs at a time."""
    started: list[Services] = []

    def again(**values: str) -> Services:
        services = Services(settings_for(tmp_path, **values))
        services.start()
        started.append(services)
        return services

    yield again
    for services in started:
        services.stop()


@pytest.fixture
def services(start: Start) -> Services:
    return start()


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="voice_transcriber.engines")


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of different lengths; the text of each is another one."""
    folder = tmp_path_factory.mktemp("sounds")
    for name, seconds, pitch_hz in [
        ("clip", 5, 440),
        ("other clip", 5, 500),
        ("minute", 60, 330),
        ("minutes", 240, 250),
        ("long", LONG_S, 220),
    ]:
        write_wav(folder / f"{name}.wav", tone(seconds, pitch_hz=pitch_hz))
    bad = [tone(15), silence(6), tone(5), poison(), tone(5), silence(6), tone(15, pitch_hz=300)]
    write_wav(folder / "poison.wav", *bad)
    return folder


@pytest.fixture(scope="session")
def true_texts(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What an undisturbed run gives."""
    with running(settings_for(tmp_path_factory.mktemp("undisturbed"))) as services:
        jobs = {
            name: submit(services, sounds / f"{name}.wav")
            for name in ("clip", "other clip", "minute", "minutes")
        }
        return {name: text_of(services, job) for name, job in jobs.items()}


def work_folders(services: Services) -> list[Path]:
    return list((services.settings.data_dir / "work").iterdir())


def blob_files(services: Services) -> list[Path]:
    return [path for path in (services.settings.data_dir / "blobs").rglob("*") if path.is_file()]


def sidecars(services: Services) -> list[Path]:
    return list((services.settings.data_dir / "transcripts").iterdir())


def runs(services: Services, job: Job) -> bool:
    return services.store.get(job.id).status is JobStatus.RUNNING


def has_windows(services: Services, job: Job, done: int) -> bool:
    return windows_done(services, job) >= done


# From acceptance to the end


def test_a_job_becomes_a_transcript(services: Services, sounds: Path) -> None:
    job = ended(services, submit(services, sounds / "minute.wav"))
    transcript = services.store.transcript(job.id)
    assert (job.status, job.percent, job.language) == (JobStatus.COMPLETED, 100.0, "en")
    assert (transcript.duration_ms, transcript.model) == (60_000, "demo")
    assert services.manager.detail(job.id).segments == transcript.segments
    assert len(sidecars(services)) == 1
    assert work_folders(services) == []


def test_texts_differ_so_that_a_mix_up_would_show(true_texts: dict[str, str]) -> None:
    assert len(set(true_texts.values())) == len(true_texts)


def test_the_engine_in_a_thread_gives_the_same_text(
    start: Start, sounds: Path, true_texts: dict[str, str]
) -> None:
    services = start(ENGINE_ISOLATION="thread")
    job = submit(services, sounds / "minute.wav")
    assert text_of(services, job) == true_texts["minute"]
    assert services.engine.pid is None


def test_the_plan_of_a_long_file_has_chunks(
    start: Start, sounds: Path, true_texts: dict[str, str]
) -> None:
    services = start(AUDIO_CHUNK_SIZE="60")
    job = ended(services, submit(services, sounds / "minutes.wav"))
    chunks = services.store.plan(job.id).chunks
    assert len(chunks) >= 4
    assert [one.end_sample for one in chunks[:-1]] == [one.start_sample for one in chunks[1:]]
    assert (chunks[0].start_sample, chunks[-1].end_sample) == (0, 240 * 16_000)


def test_a_recording_that_is_too_long_fails_and_leaves_nothing(start: Start, sounds: Path) -> None:
    services = start(MAX_DURATION="30s")
    job = ended(services, submit(services, sounds / "minute.wav"))
    assert job.error is not None
    assert (job.status, job.error.code) == (JobStatus.FAILED, "too_long")
    assert "MAX_DURATION" in job.error.remedy
    assert work_folders(services) == []


def test_what_is_no_recording_fails_and_the_next_job_runs(
    services: Services, sounds: Path, tmp_path: Path, true_texts: dict[str, str]
) -> None:
    text = tmp_path / "letter.mp3"
    text.write_text("Dear all,\n" * 1000, encoding="utf-8")
    bad = ended(services, submit(services, text))
    assert bad.error is not None
    assert (bad.error.code, bad.failures) == ("not_media", 0)
    assert text_of(services, submit(services, sounds / "clip.wav")) == true_texts["clip"]


def test_an_empty_upload_is_refused_and_leaves_nothing(services: Services, tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    with pytest.raises(EmptyFile):
        submit(services, tmp_path / "empty.wav")
    assert blob_files(services) == []


def test_a_damaged_model_fails_the_job_at_once(start: Start, sounds: Path, tmp_path: Path) -> None:
    services = start()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.pt").write_bytes(b"cut off")
    job = submit(services, sounds / "clip.wav", options=TranscribeOptions(model="mine"))
    job = ended(services, job)
    assert job.error is not None
    assert (job.error.code, job.failures) == ("model_damaged", 0)


def test_the_figures_of_a_job_are_kept_with_it(services: Services, sounds: Path) -> None:
    figures = ended(services, submit(services, sounds / "minute.wav")).performance
    assert figures["audio_s"] == 60.0
    assert figures["wall_s"] > 0
    assert figures["real_time_factor"] == pytest.approx(figures["wall_s"] / 60, abs=1e-3)
    assert figures["peak_memory_bytes"]["app"] > 1_000_000
    assert figures["peak_memory_bytes"]["engine"] > 1_000_000
    assert figures["cpu_percent"] >= 0


@pytest.mark.parametrize(("switch", "lines"), [("true", 1), ("false", 0)])
def test_the_figures_are_logged_when_that_is_asked_for(
    start: Start, sounds: Path, caplog: pytest.LogCaptureFixture, switch: str, lines: int
) -> None:
    services = start(LOG_PERFORMANCE_METRICS=switch)
    with caplog.at_level(logging.INFO, logger="voice_transcriber.performance"):
        job = ended(services, submit(services, sounds / "clip.wav"))
        services.drain()
    told = [one.message for one in caplog.records if one.name == "voice_transcriber.performance"]
    assert len([one for one in told if f"job={job.id}" in one and "wall_s=" in one]) == lines


# Order


def test_urgent_jobs_go_first_and_equal_ones_in_the_order_of_their_coming(
    start: Start, sounds: Path
) -> None:
    services = start(MAX_CONCURRENT_JOBS="1")
    blocker = submit(services, sounds / "minutes.wav", priority=Priority.HIGH)
    until(lambda: runs(services, blocker))
    low, first, second, high = (
        submit(services, sounds / "minute.wav", priority=priority)
        for priority in (Priority.LOW, Priority.NORMAL, Priority.NORMAL, Priority.HIGH)
    )
    assert services.manager.detail(low.id).queue_position == 4
    jobs = {job.id: ended(services, job) for job in (high, first, second, low)}
    started = [job.started_at or 0.0 for job in jobs.values()]
    assert started == sorted(started)


def test_a_clip_overtakes_a_long_job(start: Start, sounds: Path) -> None:
    services = start(MAX_CONCURRENT_JOBS="1")
    long = submit(services, sounds / "long.wav")
    until(lambda: runs(services, long))
    ended(services, submit(services, sounds / "clip.wav"))
    assert runs(services, long)


def test_an_urgent_job_overtakes_a_long_job(start: Start, sounds: Path) -> None:
    services = start(MAX_CONCURRENT_JOBS="1")
    long = submit(services, sounds / "long.wav")
    until(lambda: runs(services, long))
    ended(services, submit(services, sounds / "minutes.wav", priority=Priority.HIGH))
    assert runs(services, long)


def test_a_full_queue_says_no_and_keeps_nothing(start: Start, sounds: Path) -> None:
    services = start(MAX_CONCURRENT_JOBS="1", MAX_QUEUE_SIZE="1")
    long = submit(services, sounds / "long.wav")
    until(lambda: runs(services, long))
    submit(services, sounds / "minutes.wav")
    files = blob_files(services)
    with pytest.raises(QueueFull):
        submit(services, sounds / "minute.wav")
    with pytest.raises(QueueFull):
        services.manager.check_accepts()
    assert blob_files(services) == files


# Cancel, retry, delete


def test_a_queued_job_is_cancelled_at_once(start: Start, sounds: Path) -> None:
    services = start(MAX_CONCURRENT_JOBS="1")
    long = submit(services, sounds / "long.wav")
    until(lambda: runs(services, long))
    job = submit(services, sounds / "minutes.wav")
    assert services.manager.cancel(job.id).status is JobStatus.CANCELLED


def test_a_running_job_is_cancelled_and_its_decoded_audio_goes(
    services: Services, sounds: Path
) -> None:
    job = submit(services, sounds / "long.wav")
    until(lambda: has_windows(services, job, 2))
    services.manager.cancel(job.id)
    job = ended(services, job)
    assert (job.status, job.error) == (JobStatus.CANCELLED, None)
    until(lambda: not work_folders(services))
    assert text_so_far(services, job)


def test_a_cancelled_job_goes_on_where_it_was_when_it_is_retried(
    services: Services, sounds: Path, true_texts: dict[str, str]
) -> None:
    job = submit(services, sounds / "minutes.wav")
    until(lambda: has_windows(services, job, 2))
    services.manager.cancel(job.id)
    ended(services, job)
    before = services.store.plan(job.id)
    services.manager.retry(job.id)
    after = services.store.plan(job.id)
    assert before.segments.items() <= after.segments.items()
    assert before.chunks == after.chunks
    assert text_of(services, job) == true_texts["minutes"]


def test_a_deleted_job_leaves_no_file(services: Services, sounds: Path) -> None:
    job = ended(services, submit(services, sounds / "clip.wav"))
    services.manager.delete(job.id)
    assert blob_files(services) == sidecars(services) == work_folders(services) == []
    with pytest.raises(NotFound):
        services.store.get(job.id)


def test_audio_stays_as_long_as_another_job_needs_it(services: Services, sounds: Path) -> None:
    first, second = (ended(services, submit(services, sounds / "clip.wav")) for _ in range(2))
    services.manager.delete(first.id)
    assert len(blob_files(services)) == len(sidecars(services)) == 1
    services.manager.delete(second.id)
    assert blob_files(services) == []


# Crashes of the engine


def test_a_window_that_ends_the_engine_fails_alone(
    services: Services, sounds: Path, true_texts: dict[str, str]
) -> None:
    bad = submit(services, sounds / "poison.wav")
    others = {name: submit(services, sounds / f"{name}.wav") for name in ("minute", "clip")}
    assert {name: text_of(services, job) for name, job in others.items()} == {
        name: true_texts[name] for name in others
    }
    bad = ended(services, bad)
    windows = services.store.plan(bad.id).windows
    assert bad.error is not None
    assert (bad.status, bad.error.code) == (JobStatus.FAILED, "poison_window")
    assert "SIGSEGV" in bad.error.message
    assert [(one.status, one.crashes) for one in windows] == [
        (WindowStatus.DONE, 0),
        (WindowStatus.FAILED, 3),
        (WindowStatus.DONE, 0),
    ]
    assert text_so_far(services, bad)


def test_a_retry_of_such_a_job_keeps_what_was_done(services: Services, sounds: Path) -> None:
    job = ended(services, submit(services, sounds / "poison.wav"))
    before = services.store.plan(job.id)
    services.manager.retry(job.id)
    after = services.store.plan(job.id)
    assert before.segments == after.segments
    again = ended(services, job)
    assert again.error is not None
    assert again.error.code == "poison_window"
    assert services.store.plan(job.id).segments == before.segments


def test_jobs_survive_the_death_of_the_engine(
    services: Services, sounds: Path, true_texts: dict[str, str]
) -> None:
    names = ("minutes", "minute", "other clip")
    jobs = {name: submit(services, sounds / f"{name}.wav") for name in names}
    for done in (1, 4):
        until(partial(has_windows, services, jobs["minutes"], done))
        until(lambda: services.engine.pid)
        os.kill(services.engine.pid or 0, signal.SIGKILL)
    for name, job in jobs.items():
        assert text_of(services, job) == true_texts[name]
    assert services.engine.starts >= 2


def test_a_job_whose_engine_dies_at_its_start_waits_a_while_and_goes_on(
    services: Services, sounds: Path, true_texts: dict[str, str]
) -> None:
    job = submit(services, sounds / "clip.wav")
    until(lambda: services.engine.pid)
    os.kill(services.engine.pid or 0, signal.SIGKILL)
    assert text_of(services, job) == true_texts["clip"]
    assert services.store.get(job.id).failures == 1


def test_the_decoded_audio_of_a_waiting_job_goes_when_it_is_cancelled(
    services: Services, sounds: Path
) -> None:
    job = submit(services, sounds / "clip.wav")
    until(lambda: services.engine.pid)
    os.kill(services.engine.pid or 0, signal.SIGKILL)
    until(lambda: services.store.get(job.id).failures == 1)
    assert len(work_folders(services)) == 1
    assert services.manager.cancel(job.id).status is JobStatus.CANCELLED
    until(lambda: not work_folders(services))


# Stop and start


def test_a_drained_job_is_finished_by_the_next_start(
    start: Start, sounds: Path, true_texts: dict[str, str]
) -> None:
    first = start(MAX_CONCURRENT_JOBS="1", BATCH_SIZE="1")
    job, waiting = submit(first, sounds / "minutes.wav"), submit(first, sounds / "minute.wav")
    until(lambda: has_windows(first, job, 2))
    first.drain()
    drained = first.store.get(job.id)
    kept = first.store.plan(job.id).segments
    assert (drained.status, drained.failures) == (JobStatus.QUEUED, 0)
    with pytest.raises(ShuttingDown):
        submit(first, sounds / "clip.wav")
    first.stop()
    second = start()
    assert kept.items() <= second.store.plan(job.id).segments.items()
    assert text_of(second, job) == true_texts["minutes"]
    assert text_of(second, waiting) == true_texts["minute"]


def test_health_tells_what_goes_on_and_that_it_ends(services: Services, sounds: Path) -> None:
    job = submit(services, sounds / "minutes.wav")
    until(lambda: windows_done(services, job))
    health = services.health()
    assert (health.ready, health.details["running"]) == (True, 1)
    assert health.details["engine"]["models"] == ["demo"]
    services.drain()
    assert not services.health().ready


def test_a_second_instance_on_the_same_folder_is_refused(services: Services) -> None:
    with pytest.raises(DataFolderBusy, match="data"):
        Services(services.settings)


def test_a_stopped_instance_gives_the_folder_back(start: Start) -> None:
    start().stop()
    assert start().health().ready


# Housekeeping


def test_a_start_removes_what_a_dead_process_left(start: Start, tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    (folder.work / "job-that-ended").mkdir()
    (folder.work / "job-that-ended" / "audio.pcm").write_bytes(b"\0\0")
    (folder.temp / "spooled upload").write_bytes(b"half")
    services = start()
    assert work_folders(services) == []
    assert list(folder.temp.iterdir()) == []


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
