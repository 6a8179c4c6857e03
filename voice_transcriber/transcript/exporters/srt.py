"""SubRip subtitles: number, `HH:MM:SS,mmm --> HH:MM:SS,mmm`, text, empty line."""

from __future__ import annotations

import re

from voice_transcriber.transcript.exporters.clean import plain_lines
from voice_transcriber.transcript.model import Segment, Transcript

_ARROW = re.compile(r"-{2,}>")
_TAG = re.compile(r"<(/?[A-Za-z][^<>]*)>")


def render(transcript: Transcript) -> str:
    spoken = [(segment, _text(segment)) for segment in transcript.segments]
    cues = [(segment, text) for segment, text in spoken if text]
    return "\n".join(
        f"{number}\n{_times(segment)}\n{text}\n" for number, (segment, text) in enumerate(cues, 1)
    )


def _text(segment: Segment) -> str:
    # SubRip has no escapes: players read `<i>` as a style, so angle brackets become single
    # quotation marks of the same look, and no word is lost.
    text = _ARROW.sub("->", "\n".join(plain_lines(segment.text)))
    return _TAG.sub(r"‹\1›", text)


def _times(segment: Segment) -> str:
    end_ms = max(segment.start_ms, segment.end_ms)
    return f"{_clock(segment.start_ms)} --> {_clock(end_ms)}"


def _clock(time_ms: int) -> str:
    seconds, ms = divmod(time_ms, 1000)
    minutes, s = divmod(seconds, 60)
    hours, m = divmod(minutes, 60)
    return f"{hours:02d}:{m:02d}:{s:02d},{ms:03d}"
