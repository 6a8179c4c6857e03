"""SubRip subtitles: number, `HH:MM:SS,mmm --> HH:MM:SS,mmm`, text, empty line."""

from __future__ import annotations

import re

from voice_transcriber.transcript.exporters import clock
from voice_transcriber.transcript.exporters.cues import Cue
from voice_transcriber.transcript.exporters.export import Export

_ARROW = re.compile(r"-{2,}>")
_OVERRIDE = re.compile(r"\{([^{}]*)\}")
_TAG = re.compile(r"<(/?[A-Za-z][^<>]*)>")


def render(export: Export) -> str:
    return "\n".join(_block(number, cue) for number, cue in enumerate(export.cues, 1))


def _block(number: int, cue: Cue) -> str:
    start, end = clock.full(cue.start_ms, mark=","), clock.full(cue.end_ms, mark=",")
    return f"{number}\n{start} --> {end}\n{_safe(chr(10).join(cue.lines))}\n"


def _safe(text: str) -> str:
    # SubRip has no escapes: players read `<i>` and `{\an8}` as a style, so the brackets become
    # others of a like look, and no word is lost.
    return _TAG.sub(r"‹\1›", _OVERRIDE.sub(r"(\1)", _ARROW.sub("->", text)))
