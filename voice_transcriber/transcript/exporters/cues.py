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
from voice_transcriber.transcript.exporters.pieces import Piece, Timeline, pieces_of
from voice_transcriber.transcript.model import Segment

Line = Sequence[Piece]


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
    """One cue, or several where the lines are too many for one."""
    lines = plain_lines(segment.text)
    if not lines:
        return []
    if options.max_line_width is None:
        end_ms = max(segment.start_ms, segment.end_ms)
        text = " ".join(lines)
        return [Cue(start_ms=segment.start_ms, end_ms=end_ms, lines=tuple(lines), text=text)]
    width = options.max_line_width
    filled = fill_lines(pieces_of(" ".join(lines), longest=width), width=width)
    count = options.max_lines or len(filled)
    groups = [filled[first : first + count] for first in range(0, len(filled), count)]
    return _timed(groups, segment)


def fill_lines(pieces: Iterable[Piece], *, width: int) -> list[Line]:
    """Each line takes what it can hold; no piece is longer than `width` characters."""
    lines: list[list[Piece]] = []
    room = 0
    for piece in pieces:
        needed = len(piece.text) + piece.is_spaced
        if lines and needed <= room:
            lines[-1].append(piece)
            room -= needed
        else:
            lines.append([piece])
            room = width - len(piece.text)
    return list(lines)


def slow_down(cues: Sequence[Cue], *, max_cps: float, duration_ms: int) -> list[Cue]:
    """Cues that are too fast to read stay longer, into the silence that follows them.

    What is spoken faster than `max_cps`, without a pause after it, stays too fast: the
    next words would come late.
    """
    limits = [following.start_ms for _, following in pairwise(cues)] + [duration_ms]
    return [_slower(cue, max_cps, limit) for cue, limit in zip(cues, limits, strict=bool(cues))]


def _slower(cue: Cue, max_cps: float, limit_ms: int) -> Cue:
    readable_ms = cue.start_ms + math.ceil(1000 * len(cue.text) / max_cps)
    return replace(cue, end_ms=max(cue.end_ms, min(readable_ms, limit_ms)))


def _timed(groups: Sequence[Sequence[Line]], segment: Segment) -> list[Cue]:
    """The first cue starts with the segment and the last one ends with it."""
    timeline = Timeline(segment)
    cues: list[Cue] = []
    start_ms = segment.start_ms
    for number, lines in enumerate(groups, 1):
        if number > 1:
            start_ms = max(cues[-1].end_ms, timeline.start_ms(lines[0][0]))
        is_last = number == len(groups)
        end_ms = segment.end_ms if is_last else timeline.end_ms(lines[-1][-1])
        cues.append(
            Cue(
                start_ms=start_ms,
                end_ms=max(start_ms, end_ms),
                lines=tuple(_joined(line) for line in lines),
                text=_joined([piece for line in lines for piece in line]),
            )
        )
    return cues


def _joined(pieces: Line) -> str:
    return "".join(f" {piece.text}" if piece.is_spaced else piece.text for piece in pieces).strip()
