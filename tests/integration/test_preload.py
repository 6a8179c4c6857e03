"""Models that are loaded when the program starts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model_server import ModelServer
from tests.recordings import tone, write_wav
from tests.running import ended, running, settings_for, submit, until
from voice_transcriber.errors import ConfigurationError
from voice_transcriber.job import TranscribeOptions
from voice_transcriber.services import Services


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer.running() as server:
        yield server


def test_a_model_is_in_memory_before_the_first_job(tmp_path: Path) -> None:
    with running(settings_for(tmp_path, PRELOAD_MODELS="demo")) as services:
        assert not services.engine.is_running
        services.preload()
        until(lambda: services.library.model("demo").in_memory)
        assert services.health().ready


def test_a_missing_model_is_downloaded_first_while_jobs_run(
    tmp_path: Path, server: ModelServer
) -> None:
    server.held_after = 1000
    settings = settings_for(tmp_path, PRELOAD_MODELS="base")
    with running(settings, published=server.published()) as services:
        services.preload()
        until(lambda: services.library.model("base").transfer.done_bytes)
        clip = write_wav(tmp_path / "clip.wav", tone(5))
        assert ended(services, submit(services, clip)).error is None
        server.go_on.set()
        until(lambda: services.library.model("base").in_memory)


def test_a_stop_does_not_wait_for_the_download(tmp_path: Path, server: ModelServer) -> None:
    server.held_after = 1000
    settings = settings_for(tmp_path, PRELOAD_MODELS="base")
    with running(settings, published=server.published()) as services:
        services.preload()
        until(lambda: services.library.model("base").transfer.done_bytes)
    assert not server.go_on.is_set()
    assert not services.engine.starts


def test_what_cannot_be_loaded_is_told_and_the_next_one_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    settings = settings_for(tmp_path, PRELOAD_MODELS="base,demo", OFFLINE="true")
    with running(settings) as services:
        services.preload()
        until(lambda: services.library.model("demo").in_memory)
    assert "PRELOAD_MODELS: base:" in caplog.text
    assert "Copy base.pt into WHISPER_MODEL_DIR" in caplog.text


def test_an_unknown_name_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="PRELOAD_MODELS names 'enormous'") as caught:
        Services(settings_for(tmp_path, PRELOAD_MODELS="demo,enormous"))
    assert "Choose one of demo, tiny" in caught.value.remedy


def test_a_job_whose_model_does_not_fit_fails_with_the_remedy(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    settings.whisper_model_dir.mkdir()
    with (settings.whisper_model_dir / "huge.pt").open("wb") as file:
        file.truncate(10**13)  # takes no room on the disk
    clip = write_wav(tmp_path / "clip.wav", tone(5))
    with running(settings) as services:
        job = ended(services, submit(services, clip, options=TranscribeOptions(model="huge")))
        assert job.error is not None
        assert (job.error.code, job.failures) == ("model_too_large", 0)
        assert "Choose a smaller model" in job.error.remedy
        assert ended(services, submit(services, clip)).error is None
