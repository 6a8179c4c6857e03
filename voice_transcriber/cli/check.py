"""`check`: tells the state of the data folder, and proves the installation.

The proof is with the demo model and the shipped sample. Everything is real (data folder, store,
decoder child, engine child, pipeline), in a temporary data folder, so it may run beside a server.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
import time

from voice_transcriber.cli.exits import EXIT_FAILED, EXIT_OK
from voice_transcriber.cli.workplace import temporary_services, wait_for
from voice_transcriber.errors import InternalError
from voice_transcriber.job import TranscribeOptions
from voice_transcriber.services import Services, report_of
from voice_transcriber.settings import Settings

TIME_LIMIT_S = 180.0
LEAST_REMOTE_SIMILARITY = 0.5  # the voice is a computer's, which not every model knows
LEAST_SIMILARITY = 0.95  # of the words; whisper itself gets about 1 % of the sample's words wrong


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Raises the TranscriberError that stands in the way of a right transcript."""
    status = _check_folder(settings)
    if arguments.data:
        return status
    with temporary_services(settings) as services:
        services.start()
        _check(services)
    return status


def _check_folder(settings: Settings) -> int:
    report = report_of(settings)
    if report is None:
        print(f"data folder: {settings.data_dir} is not there yet")
        return EXIT_OK
    print(f"data folder: {settings.data_dir}")
    for fact in report.facts:
        print(f"  {fact}", flush=True)
    for problem in report.problems:
        print(problem, file=sys.stderr)
    return EXIT_FAILED if report.problems else EXIT_OK


def _check(services: Services) -> None:
    started = time.monotonic()
    job = services.manager.submit_file(
        services.sample, options=TranscribeOptions(model=services.demo_model)
    )
    print(f"store and files: {services.sample.name} accepted as a job", flush=True)
    job = wait_for(services, job.id, limit_s=TIME_LIMIT_S)
    print(f"audio: {job.duration_s:.1f} s decoded; sandbox: {services.sandbox}", flush=True)
    transcript = services.store.transcript(job.id)
    expected = services.sample.with_suffix(".txt").read_text(encoding="utf-8")
    similarity = _similarity(expected, transcript.text)
    if services.remote:
        print(job.performance["note"])
    _check_similarity(similarity, is_remote=services.remote is not None)
    print(
        f"engine: {services.settings.engine}, language {transcript.language}, "
        f"{len(transcript.segments)} segments, {similarity:.0%} of the words right"
    )
    print(f"ok in {time.monotonic() - started:.1f} s")


def _check_similarity(similarity: float, *, is_remote: bool) -> None:
    if similarity >= (LEAST_REMOTE_SIMILARITY if is_remote else LEAST_SIMILARITY):
        return
    remedy = "Install the pinned versions again (make setup) and repeat the check."
    if is_remote:
        remedy = "Check that the model that REMOTE_MODEL names transcribes English speech."
    raise InternalError(f"Only {similarity:.0%} of the sample's words are right.", remedy=remedy)


def _similarity(expected: str, found: str) -> float:
    return difflib.SequenceMatcher(None, _words(expected), _words(found), autojunk=False).ratio()


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())
