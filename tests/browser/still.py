"""A server on which nothing runs: its jobs stay as a test has led them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.contract.makers import (
    ERROR,
    WINDOW_SAMPLES,
    Jobs,
    chunk_of,
    result_of,
    transcript_of,
    window_at,
)
from voice_transcriber.app import create_app
from voice_transcriber.job import Claim, Priority, Stage
from voice_transcriber.services import Services
from voice_transcriber.settings import Settings
from voice_transcriber.store.base import Progress, Store
from voice_transcriber.web.server import serve

SPEECH = Path(__file__).parents[1] / "data" / "audio" / "en_5s.wav"
FIGURES = {
    "wall_s": 61.4,
    "audio_s": 185.2,
    "real_time_factor": 0.3315,
    "cpu_percent": 187.0,
    "peak_memory_bytes": {"app": 71_000_000, "engine": 912_000_000, "decoder": 58_000_000},
    "queue_s": 4.2,
    "stages_s": {
        "decode": 0.6, "load": 1.4, "vad": 0.5, "language": 1.9, "features": 0.4, "encode": 21.7,
        "text": 30.2, "write": 0.2, "wait": 0.9,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Still:
    """A server's address, its parts, and what leads its jobs."""

    url: str
    services: Services

    @property
    def store(self) -> Store:
        return self.services.store

    @property
    def jobs(self) -> Jobs:
        return Jobs(self.services.store)


@contextmanager
def still_server(folder: Path, **values: str) -> Iterator[Still]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = Settings.from_mapping(
        {
            "ENGINE": "fake",
            "DEFAULT_MODEL": "demo",
            "PORT": str(port),
            "DATA_DIR": str(folder / "data"),
            "WHISPER_MODEL_DIR": str(folder / "models"),
            **values,
        }
    )
    services = Services(settings)
    server = serve(create_app(settings, services), services, spool_dir=folder / "spool")
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield Still(f"http://localhost:{port}", services)
    finally:
        server.close()
        thread.join()
        services.stop()


def stored(services: Services, path: Path) -> str:
    """The file as a blob; its SHA-256."""
    writer = services.blobs.writer()
    writer.write(path.read_bytes())
    return writer.commit().sha256


def one_of_each(services: Services) -> dict[str, str]:
    """A job in each state that a page shows; name of the state -> id."""
    jobs, store = Jobs(services.store), services.store
    audio = {"blob_sha256": stored(services, SPEECH)}
    completed = jobs.running(filename="interview with Ada.mp3", **audio)
    store.set_duration(completed, duration_s=185.2)
    store.progress(completed, Progress(stage=Stage.FINISHING, percent=99, text_tail="The end."))
    store.complete(completed, transcript_of("All of it."), FIGURES)
    failed = jobs.running(filename="damaged.wav", **audio)
    store.fail(failed, ERROR, FIGURES)
    cancelled = jobs.cancelled(filename="wrong file.ogg", **audio)
    downloading = jobs.running(filename="first with this model.m4a", **audio)
    store.progress(
        downloading, Progress(stage=Stage.DOWNLOADING_MODEL, percent=0, stage_percent=42.0)
    )
    long = _in_parts(jobs, audio)
    queued = jobs.queued(filename="board meeting.flac", duration_s=3_900.0, **audio)
    low = jobs.queued(filename="archive 1987.wav", priority=Priority.LOW, **audio)
    return {
        "completed": completed.job_id,
        "failed": failed.job_id,
        "cancelled": cancelled.id,
        "downloading": downloading.job_id,
        "running": long.job_id,
        "queued": queued.id,
        "low": low.id,
    }


def _in_parts(jobs: Jobs, audio: Mapping[str, str]) -> Claim:
    """A long recording of which one part is done and one is in work."""
    store = jobs.store
    claim = jobs.running(filename="conference, first day.mp4", **audio)
    store.set_duration(claim, duration_s=150.0)
    windows = [window_at(0), window_at(1)]
    store.add_chunk(claim, chunk_of(2), windows)
    later = [window_at(number, chunk_index=1) for number in (2, 3)]
    second = replace(chunk_of(4, index=1), start_sample=2 * WINDOW_SAMPLES)
    store.add_chunk(claim, second, later)
    store.set_failures(claim, replace(second, failures=1))
    done = [result_of(window, " Some words.") for window in (*windows, later[0])]
    ends_at = store.get(claim.job_id).created_at + 590
    progress = Progress(
        stage=Stage.TRANSCRIBING, percent=60.0, text_tail="Some words.", ends_at=ends_at
    )
    store.finish_windows(claim, done, progress)
    return claim
