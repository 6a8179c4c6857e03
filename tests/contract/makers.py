"""Makes jobs, windows and transcripts, and leads a job to each state of its life."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from voice_transcriber.job import (
    SAMPLE_RATE,
    Chunk,
    Claim,
    Job,
    JobError,
    Lane,
    NewJob,
    Stage,
    TranscribeOptions,
    Window,
)
from voice_transcriber.store.base import Progress, Store, WindowResult
from voice_transcriber.transcript.model import Segment, Transcript

MANY = 1000  # room in the queue where a test is not about room
WINDOW_SAMPLES = 30 * SAMPLE_RATE
PROGRESS = Progress(stage=Stage.TRANSCRIBING, percent=50.0, text_tail="so far")
ERROR = JobError(code="engine_crashed", message="The engine ended.", remedy="Retry the job.")


@dataclass
class Clock:
    """A clock that a test moves by hand."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Jobs:
    """Drives a store: each method leads a job to one state of its life."""

    store: Store
    owner: str = "boot-1"
    _numbers: Iterator[int] = field(default_factory=count)

    def new(self, **changes: Any) -> NewJob:
        number = next(self._numbers)
        values: dict[str, Any] = {
            "id": f"job-{number}",
            "filename": f"recording {number}.mp3",
            "blob_sha256": hashlib.sha256(str(number).encode()).hexdigest(),
            "size_bytes": 1000,
            "options": TranscribeOptions(model="demo"),
        }
        return NewJob(**values | changes)

    def queued(self, *, duration_s: float | None = None, **changes: Any) -> Job:
        job = self.store.add(self.new(**changes), max_queued=MANY)
        if duration_s is None:
            return job
        assert self.store.set_probe(job.id, duration_s=duration_s)
        return self.store.get(job.id)

    def next(self, lane: Lane = Lane.MAIN, *, owner: str | None = None) -> Job | None:
        return self.store.claim(lane=lane, owner=owner or self.owner, express_max_s=60.0)

    def claim(self) -> Claim:
        """Claim what is next."""
        job = self.next()
        assert job is not None
        return Claim(job_id=job.id, attempt=job.attempt, owner=self.owner)

    def running(self, **changes: Any) -> Claim:
        """A new job that runs; nothing else may be queued."""
        self.queued(**changes)
        return self.claim()

    def planned(self, *, windows: int = 2, **changes: Any) -> Claim:
        """A running job with one chunk of so many windows."""
        claim = self.running(**changes)
        plan = [window_at(number) for number in range(windows)]
        self.store.add_chunk(claim, chunk_of(windows), plan)
        return claim

    def completed(self, **changes: Any) -> Job:
        claim = self.running(**changes)
        self.store.complete(claim, transcript_of("All of it."), {})
        return self.store.get(claim.job_id)

    def failed(self, **changes: Any) -> Job:
        claim = self.running(**changes)
        self.store.fail(claim, ERROR, {})
        return self.store.get(claim.job_id)

    def cancelled(self, **changes: Any) -> Job:
        return self.store.cancel(self.queued(**changes).id)


def window_at(number: int, **changes: Any) -> Window:
    start = number * WINDOW_SAMPLES
    values: dict[str, Any] = {
        "chunk_index": 0,
        "start_sample": start,
        "end_sample": start + WINDOW_SAMPLES,
        "speech_end_sample": start + WINDOW_SAMPLES - 100,
    }
    return Window(**values | changes)


def chunk_of(windows: int, *, index: int = 0) -> Chunk:
    return Chunk(
        index=index, start_sample=0, end_sample=windows * WINDOW_SAMPLES, language="en", gain=1.5
    )


def segment_of(text: str, *, start_ms: int = 0) -> Segment:
    return Segment(start_ms=start_ms, end_ms=start_ms + 900, text=text, tokens=(50364, 7, 50409))


def result_of(window: Window, text: str, *, follow_up: Window | None = None) -> WindowResult:
    return WindowResult(window=window, segments=[segment_of(text)], follow_up=follow_up)


def transcript_of(text: str) -> Transcript:
    return Transcript(
        language="en",
        language_probability=0.9,
        duration_ms=60_000,
        model="demo",
        task="transcribe",
        segments=(segment_of(text),),
    )
