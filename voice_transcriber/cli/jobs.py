"""`jobs`: list, show, cancel, retry and delete, on the server or in the data folder."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime

from voice_transcriber.cli.client import JobsClient, JobView
from voice_transcriber.cli.connect import open_client
from voice_transcriber.cli.exits import EXIT_FAILED, EXIT_OK
from voice_transcriber.cli.names import shown
from voice_transcriber.cli.report import clock, state_words
from voice_transcriber.cli.tables import table
from voice_transcriber.errors import TranscriberError
from voice_transcriber.job import JobStatus
from voice_transcriber.settings import Settings


def run_list(arguments: argparse.Namespace, settings: Settings) -> int:
    with open_client(settings) as client:
        found = client.jobs(
            limit=arguments.limit,
            statuses=[JobStatus(name) for name in arguments.statuses],
            search=arguments.search,
        )
    if arguments.json:
        print(json.dumps([asdict(job) for job in found], ensure_ascii=False, indent=2))
    elif found:
        print(_listing(found))
    else:
        print("There are no such jobs.", file=sys.stderr)
    return EXIT_OK


def run_show(arguments: argparse.Namespace, settings: Settings) -> int:
    """Raises NotFound, or WrongState when a transcript is asked of a job that has none."""
    with open_client(settings) as client:
        if arguments.format is not None:
            sys.stdout.buffer.write(client.transcript(arguments.id, arguments.format))
            return EXIT_OK
        job = client.job(arguments.id)
    if arguments.json:
        print(json.dumps(asdict(job), ensure_ascii=False, indent=2))
    else:
        print(_description(job))
    return EXIT_OK


def run_cancel(arguments: argparse.Namespace, settings: Settings) -> int:
    def cancel(client: JobsClient, job_id: str) -> str:
        job = client.cancel(job_id)
        return "ends within seconds" if job.is_live else job.status.value

    return _for_each(arguments.ids, settings, cancel)


def run_retry(arguments: argparse.Namespace, settings: Settings) -> int:
    def retry(client: JobsClient, job_id: str) -> str:
        return client.retry(job_id).status.value

    return _for_each(arguments.ids, settings, retry)


def run_delete(arguments: argparse.Namespace, settings: Settings) -> int:
    def delete(client: JobsClient, job_id: str) -> str:
        if client.delete(job_id):
            return "deleted"
        return "was not finished: cancelled, and still in the list"

    return _for_each(arguments.ids, settings, delete)


def _for_each(
    job_ids: Sequence[str], settings: Settings, act: Callable[[JobsClient, str], str]
) -> int:
    """One failure does not keep the others from being done."""
    status = EXIT_OK
    with open_client(settings) as client:
        for job_id in job_ids:
            try:
                print(f"{job_id}: {act(client, job_id)}", flush=True)
            except TranscriberError as error:
                print(f"{job_id}: {error.message}\n  {error.remedy}", file=sys.stderr)
                status = EXIT_FAILED
    return status


def _listing(jobs: Sequence[JobView]) -> str:
    rows = [
        [
            job.id,
            state_words(job),
            f"{job.percent:.0f} %",
            "" if job.duration_s is None else clock(job.duration_s),
            job.model,
            shown(job.filename),
        ]
        for job in jobs
    ]
    return table(["ID", "STATE", "DONE", "LENGTH", "MODEL", "FILE"], rows)


def _description(job: JobView) -> str:
    created = datetime.fromtimestamp(job.created_at).isoformat(sep=" ", timespec="seconds")
    lines = {
        "id": job.id,
        "file": shown(job.filename),
        "state": state_words(job),
        "done": f"{job.percent:.0f} %",
        "model": job.model,
        "language": job.language,
        "length": None if job.duration_s is None else clock(job.duration_s),
        "created": created,
        "real-time factor": job.performance.get("real_time_factor"),
        "error": None if job.error is None else f"{job.error.message} {job.error.remedy}",
    }
    told = {name: value for name, value in lines.items() if value is not None}
    return "\n".join(f"{name + ':':18}{value}" for name, value in told.items())
