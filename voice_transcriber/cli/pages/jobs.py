"""The manual pages and the arguments of `jobs`."""

from __future__ import annotations

import argparse

from voice_transcriber.cli.pages.page import Commands, Page, add_group, add_page
from voice_transcriber.job import JobStatus
from voice_transcriber.transcript.exporters import FORMATS

GROUP = Page(
    summary="list, show, cancel, retry or delete jobs",
    description="""
        Work on the jobs of the data folder: through the server that runs on it, or directly where
        none does. A job that is put back into the queue then waits for the next start of the
        server, or of `transcribe`.
    """,
    examples=(
        ("what failed", "{prog} list --status failed"),
        ("the subtitles of a job", "{prog} show ID --format srt > talk.srt"),
    ),
)

LIST = Page(
    summary="list jobs, newest first",
    description="List jobs, newest first.",
    examples=(
        ("what waits and runs", "{prog} --status queued,running"),
        ("for another program", "{prog} --json --limit 1000"),
    ),
)
SHOW = Page(
    summary="show one job, or print its transcript",
    description="Show one job; with --format, print its transcript on stdout instead.",
    examples=(("the text of a job", "{prog} ID --format txt"),),
)
CANCEL = Page(
    summary="cancel jobs that wait or run",
    description="""
        Cancel jobs. One that waits ends at once, one that runs within seconds; it stays in the
        list and can be retried.
    """,
)
RETRY = Page(
    summary="queue failed or cancelled jobs again",
    description="Queue failed or cancelled jobs again. What is finished of them is kept.",
)
DELETE = Page(
    summary="delete jobs with their recordings and transcripts",
    description="""
        Delete jobs that have ended, with their transcripts and, unless another job has the same,
        the stored copies of their recordings. One that waits or runs is cancelled and stays in
        the list.
    """,
)


def add(commands: Commands) -> None:
    group = add_group(commands, "jobs", GROUP)
    _add_list(add_page(group, "list", LIST, run="jobs:run_list"))
    _add_show(add_page(group, "show", SHOW, run="jobs:run_show"))
    for name, page in (("cancel", CANCEL), ("retry", RETRY), ("delete", DELETE)):
        parser = add_page(group, name, page, run=f"jobs:run_{name}")
        parser.add_argument("ids", nargs="+", metavar="ID", help="an ID of `jobs list`")


def _add_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--status",
        dest="statuses",
        metavar="STATUS",
        type=_statuses,
        default=(),
        help=f"only these; one or more of {', '.join(JobStatus)}, commas between them",
    )
    parser.add_argument(
        "--search", metavar="TEXT", default="", help="only those with TEXT in their file's name"
    )
    parser.add_argument(
        "--limit", metavar="N", type=_count, default=20, help="at most so many (default: 20)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="an ID of `jobs list`")
    parser.add_argument(
        "--format", choices=tuple(FORMATS), help="print the transcript in this format"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _statuses(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    if any(name not in set(JobStatus) for name in names):
        raise argparse.ArgumentTypeError(f"{text!r} is not of {', '.join(JobStatus)}")
    return names


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError("give a whole number above zero")
    return int(text)
