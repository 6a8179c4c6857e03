"""Every export of a ten-hour transcript, as a person downloads it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from bench.app import App, running_app
from bench.long_transcript import long_transcript
from bench.machine import OtherLoad
from bench.seeding import seed_completed
from bench.tables import Bound
from bench.timing import call_s
from voice_transcriber.transcript.exporters import FORMATS

LIMIT_S = 1.0
HOURS = 10
ROUNDS = 5
_CUES = "?max_line_width=42&max_lines=2&max_cps=17"  # what subtitles are usually asked for
_WITH_CUES = ("srt", "vtt")


def export_bounds(folder: Path, *, audio: Path) -> list[Bound]:
    kinds = {"sentence times": False, "word times": True}
    jobs = {
        name: seed_completed(
            folder / "data",
            f"{name}.mp3",
            long_transcript(audio, hours=HOURS, with_words=with_words),
        )
        for name, with_words in kinds.items()
    }
    with running_app(folder) as app:
        return [_bound(app, name, job_id) for name, job_id in jobs.items()]


def _bound(app: App, kind: str, job_id: str) -> Bound:
    """The slowest download of all; what the first one loads is counted too."""
    files = [*FORMATS, *(f"{name}{_CUES}" for name in _WITH_CUES)]
    found: dict[str, list[_Download]] = {file: [] for file in files}
    with OtherLoad() as other:
        for _ in range(ROUNDS):
            for file in files:
                found[file].append(_download(app, job_id, file))
    slowest = {file: max(downloads) for file, downloads in found.items()}
    each = ", ".join(
        f"{file.replace(_CUES, ' in lines')} {one.wall_s:.2f} ({one.computing_s:.2f})"
        for file, one in slowest.items()
    )
    worst_s = max(slowest.values()).wall_s
    return Bound(
        name=f"slowest export of {HOURS} h with {kind}",
        measured=f"{worst_s:.2f} s",
        limit=f"< {LIMIT_S:.0f} s",
        kept=worst_s < LIMIT_S,
        detail=f"slowest of {ROUNDS} each, computing in brackets: {each}; {other}",
    )


class _Download(NamedTuple):
    """Seconds of the wall, and of the server's computing."""

    wall_s: float
    computing_s: float


def _download(app: App, job_id: str, file: str) -> _Download:
    before_s = sum(app.process.cpu_times()[:2])
    wall_s = call_s(
        lambda: app.web.get(f"/api/v1/jobs/{job_id}/transcript.{file}").raise_for_status()
    )
    return _Download(wall_s, sum(app.process.cpu_times()[:2]) - before_s)
