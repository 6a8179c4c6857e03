"""Plain text: one segment on each line."""

from __future__ import annotations

from voice_transcriber.transcript.exporters.clean import one_line
from voice_transcriber.transcript.model import Transcript


def render(transcript: Transcript) -> str:
    lines = (one_line(segment.text) for segment in transcript.segments)
    return "".join(f"{line}\n" for line in lines if line)
