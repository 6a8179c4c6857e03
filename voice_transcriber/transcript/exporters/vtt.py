"""WebVTT subtitles (W3C): hours are left out where they are zero, as whisper does."""

from __future__ import annotations

from html import escape

from voice_transcriber.transcript.exporters import clock
from voice_transcriber.transcript.exporters.cues import Cue
from voice_transcriber.transcript.exporters.export import Export


def render(export: Export) -> str:
    return "WEBVTT\n\n" + "".join(_block(cue) for cue in export.cues)


def _block(cue: Cue) -> str:
    end_ms = max(cue.start_ms + 1, cue.end_ms)  # the standard wants an end after the start
    # Escaped, `-->` and tags are shown as they were written, and mean nothing.
    text = escape("\n".join(cue.lines), quote=False)
    return f"{_time(cue.start_ms)} --> {_time(end_ms)}\n{text}\n\n"


def _time(time_ms: int) -> str:
    return clock.full(time_ms, mark=".").removeprefix("00:")
