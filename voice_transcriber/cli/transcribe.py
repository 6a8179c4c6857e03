"""`transcribe`: recordings in, transcript files out."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voice_transcriber.cli.batch import Batch, Summary
from voice_transcriber.cli.client import JobsClient
from voice_transcriber.cli.connect import open_client
from voice_transcriber.cli.exits import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK
from voice_transcriber.cli.inputs import find_recordings
from voice_transcriber.cli.outputs import Work, plan_outputs
from voice_transcriber.cli.report import LineReport, Report, clock
from voice_transcriber.errors import UnknownModel
from voice_transcriber.job import JobStatus, Priority, TranscribeOptions
from voice_transcriber.settings import Settings


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Raises InvalidRequest, UnknownModel, DataFolderBusy, ConfigurationError, ShuttingDown."""
    works = plan_outputs(
        find_recordings(arguments.files),
        formats=arguments.formats,
        folder=None if arguments.output is None else Path(arguments.output),
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with open_client(settings, run_jobs=True) as client:
        return _transcribe(arguments, client, works)


def _transcribe(arguments: argparse.Namespace, client: JobsClient, works: list[Work]) -> int:
    options = _options(arguments, client)
    started = time.monotonic()
    with _report(arguments, total=len(works)) as report:
        _tell_of_others(client, report)
        batch = Batch(
            client,
            report,
            options=options,
            priority=Priority[arguments.priority.upper()],
            force=arguments.force,
            keep=arguments.keep,
        )
        try:
            batch.run(works)
        except KeyboardInterrupt:
            report.note("Interrupted: cancelling what is not finished.")
            batch.cancel()
            return EXIT_INTERRUPTED
        finally:
            report.note(_summary_line(batch.summary, wall_s=time.monotonic() - started))
    return EXIT_FAILED if batch.summary.failed else EXIT_OK


def _options(arguments: argparse.Namespace, client: JobsClient) -> TranscribeOptions:
    model = arguments.model or client.default_model
    known = [one.name for one in client.models()]
    if model not in known:
        raise UnknownModel(
            f"There is no model {model[:64]!r}.", remedy=f"Choose one of {', '.join(known)}."
        )
    return TranscribeOptions(
        model=model,
        language=arguments.language,
        task=arguments.task,
        prompt=arguments.prompt,
        hotwords=arguments.hotwords,
        from_s=arguments.from_s,
        to_s=arguments.to_s,
        audio_track=arguments.audio_track,
        word_timestamps=arguments.word_timestamps,
        vad_filter=arguments.vad_filter,
        engine=arguments.engine,
        use_cache=arguments.use_cache,
    )


@contextmanager
def _report(arguments: argparse.Namespace, *, total: int) -> Iterator[Report]:
    if arguments.quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield LineReport(quiet=arguments.quiet)
        return
    from voice_transcriber.cli.report_bars import BarReport

    with BarReport(total=total) as report:
        yield report


def _tell_of_others(client: JobsClient, report: Report) -> None:
    """The queue is one: what waits already goes before this command's own."""
    waiting = len(client.jobs(limit=1000, statuses=[JobStatus.QUEUED]))
    if waiting:
        report.note(f"{waiting} jobs wait already and go first; --priority high goes before them.")


def _summary_line(summary: Summary, *, wall_s: float) -> str:
    parts = [f"{summary.written} transcribed"]
    if summary.failed:
        parts.append(f"{summary.failed} failed")
    if summary.skipped:
        parts.append(f"{summary.skipped} skipped")
    return f"{', '.join(parts)}; {clock(summary.audio_s)} of audio in {wall_s:.1f} s"
