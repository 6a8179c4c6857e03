"""Jobs that name their engine, beside others, with the real engines and the demo model."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.recordings import AUDIO, manifest, word_error_rate
from tests.running import ended, has_windows, running, settings_for, submit, until
from voice_transcriber.engines.protocol import ModelKey
from voice_transcriber.job import Job, JobStatus, TranscribeOptions
from voice_transcriber.services import Services

NAMES = ("openai-whisper", "faster-whisper")
CLIP, LONG = "en_30s.flac", "en_5min.opus"
HIGHEST_RATE = 3.0  # percent of the words; that of the demo model alone is 1.2 and 1.5

Start = Callable[..., Services]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Services with real engines, all on one data folder; at most one runs at a time."""
    started: list[Services] = []

    def again(**values: str) -> Services:
        settings = settings_for(
            tmp_path, **{"ENGINE": "openai-whisper", "ENGINE_THREADS": "1", **values}
        )
        services = Services(settings)
        services.start()
        started.append(services)
        return services

    yield again
    for services in started:
        services.stop()


def ask(services: Services, name: str, engine: str | None) -> Job:
    options = TranscribeOptions(model="demo", language="en", engine=engine)
    return submit(services, AUDIO / name, options=options)


def assert_right(services: Services, job: Job, name: str) -> None:
    assert job.error is None
    text = services.store.transcript(job.id).text
    assert word_error_rate(manifest()[name]["text"], text) <= HIGHEST_RATE


def test_both_engines_in_one_run_write_the_text_and_are_named(start: Start) -> None:
    services = start()
    jobs = {engine: ask(services, CLIP, engine) for engine in (None, *NAMES)}
    found = {engine: ended(services, job) for engine, job in jobs.items()}
    for job in found.values():
        assert_right(services, job, CLIP)
    assert {
        engine: (job.performance["engine"], job.performance["compute_type"])
        for engine, job in found.items()
    } == {
        None: ("openai-whisper", "float32"),
        "openai-whisper": ("openai-whisper", "float32"),
        "faster-whisper": ("faster-whisper", "int8"),
    }
    expected = {ModelKey("demo"), ModelKey("demo", "faster-whisper")}
    until(lambda: set(services.engine.models) == expected)
    assert services.library.model("demo").in_memory
    figures = found[None].performance
    assert services.store.speeds() == {"demo": figures["own_s"] / figures["audio_s"]}, (
        "speeds are those of jobs that name no engine"
    )
    assert figures["own_s"] < figures["wall_s"], "loading the model was no work for this job"


def test_a_text_answers_only_jobs_of_the_engine_that_wrote_it(start: Start) -> None:
    services = start(ENABLE_CACHE="true")
    cached = [
        ended(services, ask(services, CLIP, engine)).is_cached
        for engine in (None, "faster-whisper", "faster-whisper", "openai-whisper", None)
    ]
    # To name the engine that is set asks for the same text as to name none.
    assert cached == [False, False, True, True, True]


def test_the_engine_stays_the_jobs_after_a_crash_and_a_restart(start: Start) -> None:
    services = start(BATCH_SIZE="1")
    job = ask(services, LONG, "faster-whisper")
    until(lambda: has_windows(services, job, 1))
    pid = services.engine.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: services.engine.starts == 2 and services.engine.models)
    assert services.engine.models == [ModelKey("demo", "faster-whisper")]
    services.stop()
    again = start(BATCH_SIZE="1")
    job = ended(again, job)
    assert_right(again, job, LONG)
    assert job.performance["engine"] == "faster-whisper"
    assert job.attempt > 1


def test_nothing_is_measured_for_a_job_that_names_its_engine(start: Start) -> None:
    services = start(ENGINE="auto")
    job = ended(services, ask(services, CLIP, "openai-whisper"))
    assert_right(services, job, CLIP)
    assert job.performance["engine"] == "openai-whisper"
    assert list(services.settings.whisper_model_dir.glob("*choice*")) == []


def test_a_job_whose_engine_is_no_longer_offered_says_so(tmp_path: Path) -> None:
    waiting = Services(settings_for(tmp_path, ENGINE="openai-whisper"))
    job = ask(waiting, CLIP, "faster-whisper")
    waiting.stop()
    with running(settings_for(tmp_path, ENGINE="fake")) as services:
        job = ended(services, job)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert (job.error.code, job.attempt) == ("engine_not_offered", 1)
    assert "Leave the engine out" in job.error.remedy
