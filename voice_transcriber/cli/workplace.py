"""Services in a data folder of their own that is gone afterwards: they may run beside a server."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from voice_transcriber.errors import EngineStalled, TranscriberError, error_from_code
from voice_transcriber.job import Job
from voice_transcriber.services import Services
from voice_transcriber.settings import Settings

_POLL_S = 0.05


@contextmanager
def temporary_services(settings: Settings) -> Iterator[Services]:
    """Built but not started. The models are those of `settings`; nobody's folder is written to."""
    with tempfile.TemporaryDirectory(prefix="voice-transcriber-") as folder:
        services = Services(replace(settings, data_dir=Path(folder), transcriptions_dir=None))
        try:
            yield services
        finally:
            services.stop()


def wait_for(services: Services, job_id: str, *, limit_s: float | None = None) -> Job:
    """The job when it is completed. Raises the error that it ended with, or EngineStalled."""
    deadline = None if limit_s is None else time.monotonic() + limit_s
    while (job := services.store.get(job_id)).is_live:
        if deadline is not None and time.monotonic() > deadline:
            raise EngineStalled(f"The recording was not transcribed within {limit_s:.0f} s.")
        time.sleep(_POLL_S)
    if job.error is not None:
        raise _error_of(job)
    return job


def _error_of(job: Job) -> TranscriberError:
    assert job.error is not None
    return error_from_code(job.error.code, job.error.message, job.error.remedy)
