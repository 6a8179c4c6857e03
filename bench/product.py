"""The product for real, without its web server: services over a temporary data folder."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.reading import Reading
from voice_transcriber.errors import error_from_code
from voice_transcriber.job import Job, JobStatus, TranscribeOptions
from voice_transcriber.services import Services
from voice_transcriber.settings import Settings

_POLL_S = 0.05


class Product:
    """Transcribes files one after the other, as a user's jobs."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def read(
        self, path: Path, *, language: str | None, model: str = "demo", **options: Any
    ) -> Reading:
        """Raises the TranscriberError that the job ended with."""
        started = time.monotonic()
        asked = TranscribeOptions(model=model, language=language, **options)
        job = self._wait(self._services.manager.submit_file(path, options=asked).id)
        return self._reading(job, wall_s=time.monotonic() - started)

    def read_together(
        self, paths: Sequence[Path], *, language: str | None, model: str = "demo"
    ) -> list[Reading]:
        """All submitted at once; the seconds of each count from there. Raises as `read`."""
        started = time.monotonic()
        asked = TranscribeOptions(model=model, language=language)
        manager = self._services.manager
        submitted = [manager.submit_file(path, options=asked).id for path in paths]
        jobs = [self._wait(job_id) for job_id in submitted]
        wall_s = time.monotonic() - started
        return [self._reading(job, wall_s=wall_s) for job in jobs]

    def _reading(self, job: Job, *, wall_s: float) -> Reading:
        transcript = self._services.store.transcript(job.id)
        segments = transcript.segments
        return Reading(
            text=transcript.text,
            starts_s=[segment.start_ms / 1000 for segment in segments],
            language=transcript.language,
            wall_s=wall_s,
            first_words_s=[one.words[0].start_ms / 1000 for one in segments if one.words],
            last_words_s=[one.words[-1].end_ms / 1000 for one in segments if one.words],
            languages=[segment.language for segment in segments],
        )

    def _wait(self, job_id: str) -> Job:
        while (job := self._services.store.get(job_id)).is_live:
            time.sleep(_POLL_S)
        if job.status is not JobStatus.COMPLETED:
            assert job.error is not None
            raise error_from_code(job.error.code, job.error.message, job.error.remedy)
        return job


@contextmanager
def running_product(**settings: str) -> Iterator[Product]:
    """`settings` by the names of the environment; what is missing takes its default."""
    with tempfile.TemporaryDirectory(prefix="voice-transcriber-bench-") as folder:
        folders = {"DATA_DIR": f"{folder}/data", "WHISPER_MODEL_DIR": f"{folder}/models"}
        values = {
            "ENGINE": "openai-whisper",
            "DEFAULT_MODEL": "demo",
            "ENABLE_CACHE": "false",  # the same recordings are read again and again
        }
        services = Services(Settings.from_mapping({**folders, **values, **settings}))
        services.start()
        try:
            yield Product(services)
        finally:
            services.stop()
