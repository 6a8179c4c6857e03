"""A recording that comes again: the look-up alone, and the whole answer over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.app import App, running_app
from bench.long_transcript import long_transcript
from bench.machine import OtherLoad
from bench.tables import Bound
from bench.timing import call_s, p99_bound
from voice_transcriber.job import JobStatus, TranscribeOptions
from voice_transcriber.results.contents import packed_transcript
from voice_transcriber.services import Services
from voice_transcriber.settings import Settings
from voice_transcriber.web.server import collect_garbage_rarely

LOOK_UP_LIMIT_S = 0.05
HTTP_LIMIT_S = 0.1
REPEATS = 200
ENGINE = "fake"  # which one once wrote the text does not matter
RECORDINGS = ("en_5s.wav", "en_12min.opus")
LONG_HOURS = 1.0
_POLL_S = 0.05


def cached_bounds(folder: Path, *, audio: Path) -> list[Bound]:
    return [*_look_ups(folder / "look-up", audio), *_answers(folder / "http", audio)]


def _look_ups(folder: Path, audio: Path) -> list[Bound]:
    """Each one finds the recording, reads its transcript and checks it; nothing is written."""
    settings = Settings.from_mapping(
        {
            "DATA_DIR": str(folder / "data"),
            "WHISPER_MODEL_DIR": str(folder / "models"),
            "ENGINE": ENGINE,
            "DEFAULT_MODEL": "demo",
        }
    )
    collect_garbage_rarely()  # as the server does
    services = Services(settings)
    services.start()
    try:
        return [*_of_a_clip(services, audio), *_of_an_hour(services, audio)]
    finally:
        services.stop()


def _of_a_clip(services: Services, audio: Path) -> list[Bound]:
    options = TranscribeOptions(model="demo")
    job = services.manager.submit_file(audio / RECORDINGS[0], options=options)
    while services.store.get(job.id).is_live:
        time.sleep(_POLL_S)
    assert services.store.get(job.id).status is JobStatus.COMPLETED

    def look_up() -> None:
        assert services.known.find(job.blob_sha256, options)

    return [_bound("look-up of a clip, in memory", look_up, LOOK_UP_LIMIT_S)]


def _of_an_hour(services: Services, audio: Path) -> list[Bound]:
    """The largest part of such a look-up is to read the transcript."""
    transcript = long_transcript(audio, hours=LONG_HOURS, with_words=True)
    (job,) = services.store.page(limit=1).jobs
    result = packed_transcript("an hour", transcript)
    assert services.store.keep_result(job.id, result)

    def in_memory() -> None:
        assert services.results.transcript(result.key)

    def on_disk() -> None:
        services.results.leave_memory()
        assert services.results.transcript(result.key)

    size = f"{len(transcript.segments)} segments with word times, {len(result.content)} bytes"
    return [
        replace(bound, detail=f"{size}; {bound.detail}")
        for bound in (
            _bound("look-up of an hour, in memory", in_memory, LOOK_UP_LIMIT_S),
            _bound("look-up of an hour, on disk", on_disk, LOOK_UP_LIMIT_S),
        )
    ]


def _answers(folder: Path, audio: Path) -> list[Bound]:
    """From the first byte of the upload to the completed job."""
    with running_app(folder, ENABLE_CACHE="true", ENGINE=ENGINE) as app:
        return [
            _bound(
                f"{name} again over HTTP",
                lambda path=audio / name: _submit(app, path),
                HTTP_LIMIT_S,
                first=lambda path=audio / name: app.wait(app.submit(path)),
            )
            for name in RECORDINGS
        ]


def _submit(app: App, path: Path) -> None:
    with path.open("rb") as file:
        answer = app.web.post("/api/v1/jobs", files={"file": (path.name, file)})
    job = answer.raise_for_status().json()
    assert (job["status"], job["cached"]) == ("completed", True), job


def _bound(
    name: str,
    call: Callable[[], object],
    limit_s: float,
    *,
    first: Callable[[], object] = lambda: None,
) -> Bound:
    first()
    with OtherLoad() as other:
        seconds = [call_s(call) for _ in range(REPEATS)]
    return p99_bound(name, seconds, limit_s, f"{REPEATS} times; {other}")
