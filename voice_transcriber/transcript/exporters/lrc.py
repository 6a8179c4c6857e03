"""Lyrics: `[mm:ss.xx]` and text on each line; minutes go on beyond 59."""

from __future__ import annotations

import re

from voice_transcriber.transcript.exporters.export import Export

# Players take a time in brackets for the time of a line or of a word, wherever it stands.
_TIME = re.compile(r"[\[<](\d+:[\d.:]+)[\]>]")


def render(export: Export) -> str:
    return "".join(f"[{_time(cue.start_ms)}]{_safe(cue.text)}\n" for cue in export.cues)


def _safe(text: str) -> str:
    text = _TIME.sub(r"(\1)", text)
    return f" {text}" if text.startswith(("[", "<")) else text


def _time(time_ms: int) -> str:
    seconds, ms = divmod(time_ms, 1000)
    minutes, s = divmod(seconds, 60)
    return f"{minutes:02d}:{s:02d}.{ms // 10:02d}"
