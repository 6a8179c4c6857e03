"""Plain text: one segment on each line, or lines of the wanted length."""

from __future__ import annotations

from collections.abc import Iterable

from voice_transcriber.transcript.exporters import clock
from voice_transcriber.transcript.exporters.cues import Cue
from voice_transcriber.transcript.exporters.export import Export


def render(export: Export) -> str:
    with_times = export.shows_times(usually=False)
    is_wrapped = export.options.max_line_width is not None
    return "".join(
        _block(cue, cue.lines if is_wrapped else (cue.text,), with_time=with_times)
        for cue in export.cues
    )


def _block(cue: Cue, lines: Iterable[str], *, with_time: bool) -> str:
    time = f"[{clock.to_the_second(cue.start_ms)}] " if with_time else ""
    return time + "".join(f"{line}\n" for line in lines)
