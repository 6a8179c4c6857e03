"""Figures and states in the words of the page; Jinja filters."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import Protocol

from flask import Flask

from voice_transcriber.job import ChunkStatus, Job, JobStatus, Stage
from voice_transcriber.transcript.languages import SEVERAL_LANGUAGES, language_name
from voice_transcriber.transcript.model import Segment
from voice_transcriber.web.model_shapes import ModelListShape, ModelShape
from voice_transcriber.web.shapes import time_text
from voice_transcriber.web.stage_times import stage_times

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

_PARTS = {
    ChunkStatus.WAITING: "waiting",
    ChunkStatus.PLANNING: "speech is looked for",
    ChunkStatus.TRANSCRIBING: "in work",
    ChunkStatus.DONE: "done",
    ChunkStatus.FAILED: "partly failed",
}


class Part(Protocol):
    """What is told of a chunk."""

    @property
    def status(self) -> ChunkStatus: ...

    @property
    def percent(self) -> float: ...

    @property
    def attempt(self) -> int: ...


def install(app: Flask) -> None:
    app.jinja_env.filters.update(
        state=state,
        size=size,
        duration=duration,
        clock=clock,
        language=language,
        percent=percent,
        from_word=from_word,
        time_left=time_left,
        about=about,
        picker_note=picker_note,
        moment=time_text,
        moment_text=moment_text,
        stage_times=stage_times,
        part_state=part_state,
        written_language=written_language,
    )


def state(job: Job) -> str:
    """What the job is doing, without figures."""
    if job.status in _ENDED:
        return _ENDED[job.status]
    if job.cancel_requested:
        return "Cancelling"
    if job.status is JobStatus.RUNNING:
        return _STAGES[job.stage]
    return "Waiting to try again" if job.run_at > time.time() else "Waiting"


def part_state(part: Part) -> str:
    """How far one part of a long recording is."""
    words = _PARTS[part.status]
    if part.status is ChunkStatus.TRANSCRIBING:
        words += f", {round(part.percent)} %"
    return f"{words}, attempt {part.attempt}" if part.attempt > 1 else words


def percent(job: Job) -> float | None:
    """How far the present stage is; None when that is not known."""
    if job.status is not JobStatus.RUNNING or job.cancel_requested:
        return None
    if job.stage in {Stage.TRANSCRIBING, Stage.FINISHING}:
        return job.percent
    return job.stage_percent


def time_left(job: Job) -> str:
    """About how long a running job will still take; empty when that is not known."""
    remaining_s = job.remaining_s(now=time.time())
    return "" if remaining_s is None else about(remaining_s) + " left"


def written_language(segment: Segment, job: Job) -> str | None:
    """Code of the language of a segment's text; None when it is not known."""
    if job.options.task == "translate":
        return "en"
    return segment.language or (None if job.language == SEVERAL_LANGUAGES else job.language)


def picker_note(model: ModelShape, found: ModelListShape) -> str:
    """What a person should know before choosing a model."""
    sentences = [model.note]
    if not model.present and found.offline:
        sentences.append("It is not on this machine, and the program runs offline.")
    elif not model.present:
        sentences.append(f"It will be downloaded ({size(model.size_bytes)}) when it is first used.")
    if not model.fits:
        sentences.append(
            f"It needs {size(model.memory_bytes)} of memory, and "
            f"{size(found.free_memory_bytes)} are free."
        )
    if model.real_time_factor is not None:
        sentences.append(f"An hour takes {about(3600 * model.real_time_factor)} here.")
    return " ".join(sentences)


def about(seconds: float) -> str:
    """An estimate in words, the coarser the longer it is, so that it moves rarely."""
    minutes = math.ceil(seconds / 60)
    if minutes <= 1:
        return "less than a minute"
    if minutes > 10:
        minutes = _nearest(minutes, 5 if minutes < 60 else 10)
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"about {minutes} min"
    return f"about {hours} h {minutes} min" if minutes else f"about {hours} h"


def _nearest(value: int, step: int) -> int:
    return step * round(value / step)


def moment_text(seconds: float) -> str:
    """Unix seconds for people; the page's script tells it in their own time."""
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b %Y, %H:%M} UTC"


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
