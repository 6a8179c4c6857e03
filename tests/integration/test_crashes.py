"""The engine dies, the app stops and starts: jobs go on, and one bad window ends alone."""

from __future__ import annotations

import logging
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from tests.integration.conftest import Start
from tests.running import (
    ended,
    has_windows,
    submit,
    text_of,
    text_so_far,
    until,
    windows_done,
    work_folders,
)
from voice_transcriber.errors import (
    DataFolderBusy,
    ShuttingDown,
)
from voice_transcriber.job import SAMPLE_RATE, Job, JobStatus, TranscribeOptions, WindowStatus
from voice_transcriber.services import Services


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="voice_transcriber.engines")


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


def test_a_job_whose_engine_dies_at_its_start_goes_on_at_once(
    services: Services, sounds: Path, true_texts: dict[str, str]
) -> None:
    job = submit(services, sounds / "clip.wav")
    until(lambda: services.engine.pid)
    os.kill(services.engine.pid or 0, signal.SIGKILL)
    assert text_of(services, job) == true_texts["clip"]
    assert services.store.get(job.id).failures == 0


def kill_engines(services: Services, job: Job, *, failures: int) -> None:
    """Each as soon as it is there, until the job has failed so often."""

    def has_failed() -> bool:
        if pid := services.engine.pid:
            os.kill(pid, signal.SIGKILL)
        return services.store.get(job.id).failures == failures

    until(has_failed)


def test_a_job_whose_engine_dies_again_and_again_waits_a_while_and_goes_on(
    services: Services, sounds: Path, true_texts: dict[str, str]
) -> None:
    job = submit(services, sounds / "clip.wav")
    kill_engines(services, job, failures=1)
    assert text_of(services, job) == true_texts["clip"]


def test_the_decoded_audio_of_a_waiting_job_goes_when_it_is_cancelled(
    services: Services, sounds: Path
) -> None:
    job = submit(services, sounds / "clip.wav")
    kill_engines(services, job, failures=2)
    assert len(work_folders(services)) == 1
    assert services.manager.cancel(job.id).status is JobStatus.CANCELLED
    until(lambda: not work_folders(services))


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


def test_a_part_of_a_recording_goes_on_after_a_restart(start: Start, sounds: Path) -> None:
    part = TranscribeOptions(model="demo", language="multi", from_s=70.0, to_s=190.0)
    first = start(BATCH_SIZE="1", AUDIO_CHUNK_SIZE="60")
    undisturbed = text_of(first, submit(first, sounds / "minutes.wav", options=part))
    job = submit(first, sounds / "minutes.wav", options=part)
    until(lambda: has_windows(first, job, 1))
    first.drain()
    kept = first.store.plan(job.id)
    first.stop()
    second = start(AUDIO_CHUNK_SIZE="60")
    assert text_of(second, job) == undisturbed
    assert min(kept.segments) >= 70 * SAMPLE_RATE
    assert {window.language for window in kept.windows} == {"en"}
    assert second.store.get(job.id).duration_s == 120.0
    assert all(
        one.start_ms >= 70_000 and one.end_ms <= 190_000
        for one in second.store.transcript(job.id).segments
    )


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
