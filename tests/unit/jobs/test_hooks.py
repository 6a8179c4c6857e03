"""Several hooks as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_transcriber.job import Job, JobStatus, Priority, TranscribeOptions
from voice_transcriber.jobs.hooks import HookChain, JobHooks, ProcessIds

JOB = Job(
    id="a",
    seq=1,
    revision=1,
    status=JobStatus.RUNNING,
    filename="talk.mp3",
    blob_sha256="0",
    size_bytes=1,
    options=TranscribeOptions(model="demo"),
    priority=Priority.NORMAL,
    created_at=0.0,
)


class Diary(JobHooks):
    """Notes what it is told, in a book that others write in too."""

    def __init__(self, name: str, book: list[str]) -> None:
        self._name = name
        self._book = book

    def started(self, job: Job, process_ids: ProcessIds) -> None:
        self._book.append(f"{self._name}: {job.id} started with {process_ids()}")

    def figures(self, job: Job) -> Mapping[str, Any]:
        return {self._name: 1}

    def ended(self, job: Job, performance: Mapping[str, Any]) -> None:
        self._book.append(f"{self._name}: {job.id} ended with {performance}")


def test_each_hook_is_told_in_order_and_all_figures_are_kept() -> None:
    book: list[str] = []
    chain = HookChain(Diary("one", book), Diary("two", book), JobHooks())
    chain.started(JOB, lambda: {"engine": 7})
    assert chain.figures(JOB) == {"one": 1, "two": 1}
    chain.ended(JOB, {"wall_s": 2})
    assert book == [
        "one: a started with {'engine': 7}",
        "two: a started with {'engine': 7}",
        "one: a ended with {'wall_s': 2}",
        "two: a ended with {'wall_s': 2}",
    ]
