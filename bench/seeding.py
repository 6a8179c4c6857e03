"""Data folders with a past: jobs as the store keeps them, made in a moment."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from voice_transcriber.data_folder import DataFolder
from voice_transcriber.job import Claim, JobError, Lane, NewJob, TranscribeOptions, search_key
from voice_transcriber.store.base import LONGEST_DELAY_S
from voice_transcriber.store.library import Database
from voice_transcriber.store.sqlite import SqliteStore
from voice_transcriber.transcript.model import Transcript

_OWNER = "bench"
_ROOM = 1_000_000
_NAMES = ("Interview", "Lecture", "Board meeting", "Voice note", "Court hearing", "Séance")
_ERROR = JobError(code="not_audio", message="This is no recording.", remedy="Send another file.")
_PERFORMANCE = {
    "wall_s": 61.2,
    "cpu_percent": 180.1,
    "peak_memory_bytes": {"app": 61_000_000, "engine": 900_000_000},
    "audio_s": 600.0,
    "real_time_factor": 0.102,
    "stages_s": {"decode": 1.0, "vad": 1.4, "encode": 20.3, "text": 35.1},
}

Row = dict[str, Any]


def seed_completed(data_dir: Path, name: str, transcript: Transcript) -> str:
    """The id of a job that has ended with this transcript."""
    with _store(data_dir) as store:
        claim = _running(store, name)
        store.complete(claim, transcript, _PERFORMANCE)
    return claim.job_id


def seed_list(data_dir: Path, transcript: Transcript, *, jobs: int, waiting: int) -> None:
    """So many jobs: completed, failed and cancelled ones, and the newest wait for ten minutes."""
    with _store(data_dir) as store:
        store.complete(_running(store, "completed.mp3"), transcript, _PERFORMANCE)
        store.fail(_running(store, "failed.mp3"), _ERROR, _PERFORMANCE)
        store.cancel(store.add(_new("cancelled.mp3"), max_queued=_ROOM).id)
        store.release(_running(store, "waiting.mp3"), run_at=time.time() + LONGEST_DELAY_S)
    database = Database(DataFolder(data_dir).database)
    *ended, queued = database.table("jobs").rows_where(order_by="seq")
    copied = [
        *islice(cycle(ended), jobs - waiting - len(ended)),
        *islice(cycle([queued]), waiting - 1),
    ]
    database.table("jobs").insert_all(_copies(copied, after=queued))
    database.close()


@contextmanager
def _store(data_dir: Path) -> Iterator[SqliteStore]:
    folder = DataFolder(data_dir)
    folder.create()
    store = SqliteStore(folder.database)
    try:
        yield store
    finally:
        store.close()


def _running(store: SqliteStore, name: str) -> Claim:
    """A new job that runs; nothing else waits."""
    store.add(_new(name), max_queued=_ROOM)
    job = store.claim(lane=Lane.MAIN, owner=_OWNER, express_max_s=0.0)
    assert job is not None
    claim = Claim(job_id=job.id, attempt=job.attempt, owner=_OWNER)
    store.set_duration(claim, duration_s=600.0)
    return claim


def _new(name: str) -> NewJob:
    return NewJob(
        id=_id(name),
        filename=name,
        blob_sha256=hashlib.sha256(name.encode()).hexdigest(),
        size_bytes=9_600_000,
        options=TranscribeOptions(model="demo", language="en"),
    )


def _copies(rows: Sequence[Row], *, after: Row) -> Iterator[Row]:
    for number, row in enumerate(rows, start=1):
        name = f"{_NAMES[number % len(_NAMES)]} {number:05d}.mp3"
        yield {
            **row,
            "seq": after["seq"] + number,
            "revision": after["revision"] + number,
            "id": _id(name),
            "filename": name,
            "search_key": search_key(name),
        }


def _id(name: str) -> str:
    """A version 4 UUID's form, the same for the same name."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]
