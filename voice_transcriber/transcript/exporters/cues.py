"""Cues: the stretches of text that a viewer sees at one time.

Without options a cue is a segment. Words are never lost, doubled or moved to
another segment.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from voice_transcriber.transcript.exporters.clean import plain_lines
from voice_transcriber.transcript.exporters.options import ExportOptions
from voice_transcriber.transcript.exporters.timeline import Timeline, visible
from voice_transcriber.transcript.exporters.wrapping import single_spaced, wrap
from voice_transcriber.transcript.model import Segment


@dataclass(frozen=True, kw_only=True)
class Cue:
    """Text without control characters; ends at its start or later."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    text: str  # all of it on one line


def cues_of(
    segments: Iterable[Segment], options: ExportOptions, *, duration_ms: int
) -> tuple[Cue, ...]:
    """The cues of segments in time order; `duration_ms` is the length of the file."""
    cues = [cue for segment in segments for cue in split_segment(segment, options)]
    if options.max_cps is None:
        return tuple(cues)
    return tuple(slow_down(cues, max_cps=options.max_cps, duration_ms=duration_ms))


def split_segment(segment: Segment, options: ExportOptions) -> list[Cue]:
    """One cue, or several where the lines are too many for one; none where there is no text."""
    lines = plain_lines(segment.text)
    if not lines:
        return []
    text = " ".join(lines)
    if options.max_line_width is None:
        return [_whole(segment, lines, text)]
    text = single_spaced(text)
    places = wrap(text, width=options.max_line_width)
    count = options.max_lines or len(places)
    if len(places) <= count:
        return [_whole(segment, [text[start:end] for start, end in places], text)]
    groups = [places[first : first + count] for first in range(0, len(places), count)]
    return _timed(segment, text, groups)


def slow_down(cues: Sequence[Cue], *, max_cps: float, duration_ms: int) -> list[Cue]:
    """Cues that are too fast to read stay longer, into the silence that follows them.

    What is spoken faster than `max_cps`, without a pause after it, stays too fast: the
    next words would come late.
    """
    limits = [following.start_ms for _, following in pairwise(cues)] + [duration_ms]
    return [_slower(cue, max_cps, limit) for cue, limit in zip(cues, limits, strict=False)]


def _slower(cue: Cue, max_cps: float, limit_ms: int) -> Cue:
    readable_ms = cue.start_ms + math.ceil(1000 * len(cue.text) / max_cps)
    return replace(cue, end_ms=max(cue.end_ms, min(readable_ms, limit_ms)))


def _whole(segment: Segment, lines: Sequence[str], text: str) -> Cue:
    end_ms = max(segment.start_ms, segment.end_ms)
    return Cue(start_ms=segment.start_ms, end_ms=end_ms, lines=tuple(lines), text=text)


def _timed(segment: Segment, text: str, groups: Sequence[Sequence[tuple[int, int]]]) -> list[Cue]:
    """The first cue starts with the segment and the last one ends with it."""
    timeline = Timeline(segment)
    cues: list[Cue] = []
    place = 0  # of the next cue's first visible character
    for lines in groups:
        words = text[lines[0][0] : lines[-1][1]]
        start_ms = max(cues[-1].end_ms, timeline.start_ms(place)) if cues else segment.start_ms
        place += len(visible(words))
        is_last = lines is groups[-1]
        end_ms = segment.end_ms if is_last else timeline.end_ms(place)
        cues.append(
            Cue(
                start_ms=start_ms,
                end_ms=max(start_ms, end_ms),
                lines=tuple(text[start:end] for start, end in lines),
                text=words,
            )
        )
    return cues
