"""`check`: proves the installation end to end with the demo model and the shipped sample.

Everything is real (data folder, store, decoder child, engine child, pipeline), in a
temporary data folder, so it may run beside a serving instance.
"""

from __future__ import annotations

import difflib
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from voice_transcriber.errors import EngineStalled, InternalError, error_from_code
from voice_transcriber.job import Job, JobStatus, TranscribeOptions
from voice_transcriber.services import Services
from voice_transcriber.settings import Settings

TIME_LIMIT_S = 180.0
LEAST_SIMILARITY = 0.95  # of the words; whisper itself gets about 1 % of the sample's words wrong
_POLL_S = 0.05

Say = Callable[[str], None]


def check_installation(settings: Settings, say: Say) -> None:
    """Raises the TranscriberError that stands in the way of a right transcript."""
    with tempfile.TemporaryDirectory(prefix="voice-transcriber-check-") as folder:
        services = Services(replace(settings, data_dir=Path(folder)))
        services.start()
        try:
            _check(services, say)
        finally:
            services.stop()


def _check(services: Services, say: Say) -> None:
    started = time.monotonic()
    job = services.manager.submit_file(
        services.sample, options=TranscribeOptions(model=services.demo_model)
    )
    say(f"store and files: {services.sample.name} accepted as a job")
    job = _wait(services, job.id)
    say(f"audio: {job.duration_s:.1f} s decoded")
    transcript = services.store.transcript(job.id)
    expected = services.sample.with_suffix(".txt").read_text(encoding="utf-8")
    similarity = _similarity(expected, transcript.text)
    if similarity < LEAST_SIMILARITY:
        raise InternalError(
            f"Only {similarity:.0%} of the sample's words are right.",
            remedy="Install the pinned versions again (make setup) and repeat the check.",
        )
    say(
        f"engine: {services.settings.engine}, language {transcript.language}, "
        f"{len(transcript.segments)} segments, {similarity:.0%} of the words right"
    )
    say(f"ok in {time.monotonic() - started:.1f} s")


def _wait(services: Services, job_id: str) -> Job:
    deadline = time.monotonic() + TIME_LIMIT_S
    while time.monotonic() < deadline:
        job = services.store.get(job_id)
        if job.status is JobStatus.COMPLETED:
            return job
        if job.error is not None:
            raise error_from_code(job.error.code, job.error.message, job.error.remedy)
        time.sleep(_POLL_S)
    raise EngineStalled(f"The sample was not transcribed within {TIME_LIMIT_S:.0f} s.")


def _similarity(expected: str, found: str) -> float:
    return difflib.SequenceMatcher(None, _words(expected), _words(found), autojunk=False).ratio()


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())
