"""Tab-separated values as whisper writes them: integer milliseconds, text."""

from __future__ import annotations

from voice_transcriber.transcript.exporters.export import Export


def render(export: Export) -> str:
    rows = (f"{cue.start_ms}\t{cue.end_ms}\t{cue.text}\n" for cue in export.cues)
    return "start\tend\ttext\n" + "".join(rows)
