"""Services that run: tests start them, give them work, wait for its end, look at what is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from voice_transcriber.engines.published import CHECKPOINTS, Checkpoint
from voice_transcriber.job import Job, JobStatus, Priority, TranscribeOptions
from voice_transcriber.services import Services
from voice_transcriber.settings import Settings

PATIENCE_S = 150.0  # for what takes seconds on an idle machine
DEMO = TranscribeOptions(model="demo")


def settings_for(folder: Path, **values: str) -> Settings:
    """The fake engine and folders below `folder`, unless `values` say otherwise.

    Levels are left alone: the fake engine's text follows from the samples. Nothing is cached: tests
    submit the same recordings again and again.
    """
    defaults = {
        "ENGINE": "fake",
        "AUDIO_OPTIMIZATION": "false",
        "ENABLE_CACHE": "false",
        "DEFAULT_MODEL": "demo",
        "DATA_DIR": str(folder / "data"),
        "WHISPER_MODEL_DIR": str(folder / "models"),
    }
    return Settings.from_mapping(defaults | values)


@contextmanager
def running(
    settings: Settings, *, published: Mapping[str, Checkpoint] = CHECKPOINTS
) -> Iterator[Services]:
    services = Services(settings, published=published)
    services.start()
    try:
        yield services
    finally:
        services.stop()


def until(condition: Callable[[], Any], *, patience_s: float = PATIENCE_S) -> None:
    """Wait until something is true; fails when patience ends."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def submit(
    services: Services,
    path: Path,
    *,
    options: TranscribeOptions = DEMO,
    priority: Priority = Priority.NORMAL,
) -> Job:
    upload = services.blobs.writer()
    upload.write(path.read_bytes())
    return services.manager.submit(upload, filename=path.name, options=options, priority=priority)


def ended(services: Services, job: Job) -> Job:
    """The job when it has ended, however it did."""
    until(lambda: not services.store.get(job.id).is_live)
    return services.store.get(job.id)


def text_of(services: Services, job: Job) -> str:
    """The text of a job that must complete."""
    job = ended(services, job)
    assert job.error is None
    return services.store.transcript(job.id).text


def text_so_far(services: Services, job: Job) -> str:
    return "".join(segment.text for segment in services.manager.detail(job.id).segments)


def windows_done(services: Services, job: Job) -> int:
    return len(services.store.plan(job.id).segments)


def work_folders(services: Services) -> list[Path]:
    return list((services.settings.data_dir / "work").iterdir())


def blob_files(services: Services) -> list[Path]:
    return [path for path in (services.settings.data_dir / "blobs").rglob("*") if path.is_file()]


def sidecars(services: Services) -> list[Path]:
    """The files that finished jobs can be rebuilt from."""
    return list((services.settings.data_dir / "transcripts").glob("*.json"))


def runs(services: Services, job: Job) -> bool:
    return services.store.get(job.id).status is JobStatus.RUNNING


def has_windows(services: Services, job: Job, done: int) -> bool:
    return windows_done(services, job) >= done
