"""Figures and states in the words of the page; Jinja filters."""

from __future__ import annotations

from flask import Flask

from voice_transcriber.job import Job, JobStatus, Stage
from voice_transcriber.transcript.languages import language_name

_ENDED = {
    JobStatus.COMPLETED: "Done",
    JobStatus.FAILED: "Failed",
    JobStatus.CANCELLED: "Cancelled",
}
_STAGES = {
    Stage.WAITING: "Starting",
    Stage.DOWNLOADING_MODEL: "Downloading the model",
    Stage.DECODING: "Reading the audio",
    Stage.LOADING_MODEL: "Loading the model",
    Stage.TRANSCRIBING: "Transcribing",
    Stage.FINISHING: "Finishing",
}


def install(app: Flask) -> None:
    app.jinja_env.filters.update(
        state=state,
        size=size,
        duration=duration,
        clock=clock,
        language=language,
        percent=percent,
        from_word=from_word,
    )


def state(job: Job) -> str:
    """What the job is doing, without figures."""
    if job.status in _ENDED:
        return _ENDED[job.status]
    if job.cancel_requested:
        return "Cancelling"
    if job.status is JobStatus.RUNNING:
        return _STAGES[job.stage]
    return "Waiting"


def percent(job: Job) -> float | None:
    """How far the present stage is; None when that is not known."""
    if job.status is not JobStatus.RUNNING or job.cancel_requested:
        return None
    if job.stage in {Stage.TRANSCRIBING, Stage.FINISHING}:
        return job.percent
    return job.stage_percent


def size(size_bytes: int | None) -> str:
    """Decimal units, as file managers show them."""
    if size_bytes is None:
        return ""
    if size_bytes < 1_000:
        return f"{size_bytes} B"
    value, units = float(size_bytes), ["TB", "GB", "MB", "kB"]
    while (value := value / 1_000) >= 999.5 and len(units) > 1:
        units.pop()
    figure = f"{value:.1f}".removesuffix(".0") if value < 9.95 else f"{value:.0f}"
    return f"{figure} {units[-1]}"


def duration(seconds: float | None) -> str:
    """A duration in words: 42 s, 3 min 5 s, 1 h 20 min."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest_s = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest_s} s" if rest_s else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def clock(time_ms: int) -> str:
    """A place in a recording: 0:07, 12:30, 1:02:03."""
    minutes, seconds = divmod(time_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def from_word(text: str) -> str:
    """The end of a text that was cut anywhere, from the next word on."""
    _, gap, rest = text.partition(" ")
    return f"… {rest}" if gap and not text[:1].isupper() else text


def language(code: str | None) -> str:
    return language_name(code) if code else ""
