"""From spans of speech to windows of at most 30 s: pure functions over sample numbers.

A window is one contiguous range. Spans that follow each other closely share a
window with the silence between them; speech is never concatenated. So a time
in the window plus the window's start is a time in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voice_transcriber.audio.vad import FRAME_SAMPLES, Probabilities, Span
from voice_transcriber.job import SAMPLE_RATE

MAX_WINDOW = 30 * SAMPLE_RATE
LOWEST_POINT_RANGE = 10 * SAMPLE_RATE  # long speech is cut somewhere in the last 10 s
MAX_GAP = 5 * SAMPLE_RATE  # longer silence separates windows
SOON = SAMPLE_RATE
LEAD_IN = int(0.3 * SAMPLE_RATE)  # audio kept before the first and after the last span
MAX_SPEECH = MAX_WINDOW - 2 * LEAD_IN  # so that the margins push no speech out of the window


@dataclass(frozen=True)
class WindowRange:
    """A window's samples, and where the last speech in it ends."""

    start: int
    end: int
    speech_end: int


def windows_from_spans(
    spans: Sequence[Span], probabilities: Probabilities, *, length: int
) -> list[WindowRange]:
    """Pack spans into windows, in time order, without overlap, within 0..length."""
    pieces = [piece for span in spans for piece in split_long(span, probabilities)]
    groups: list[list[Span]] = []
    for piece in pieces:
        if groups and _fits(groups[-1], piece):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return _with_margins(groups, length=length)


def fixed_windows(*, length: int) -> list[WindowRange]:
    """Windows over everything, speech or not (vad_filter off)."""
    starts = range(0, length, MAX_WINDOW)
    return [
        WindowRange(start, min(start + MAX_WINDOW, length), min(start + MAX_WINDOW, length))
        for start in starts
    ]


def split_long(span: Span, probabilities: Probabilities) -> list[Span]:
    """Cut speech that fills a window where its probability is lowest in the last 10 s."""
    pieces = []
    start = span.start
    while span.end - start > MAX_SPEECH:
        first = (start + MAX_SPEECH - LOWEST_POINT_RANGE) // FRAME_SAMPLES
        last = (start + MAX_SPEECH) // FRAME_SAMPLES
        cut = (first + int(np.argmin(probabilities[first:last]))) * FRAME_SAMPLES
        pieces.append(Span(start, cut))
        start = cut
    return [*pieces, Span(start, span.end)]


def _fits(group: Sequence[Span], piece: Span) -> bool:
    close = piece.start - group[-1].end <= MAX_GAP
    return close and piece.end - group[0].start <= MAX_SPEECH


def _with_margins(groups: Sequence[Sequence[Span]], *, length: int) -> list[WindowRange]:
    """Widen each group into the silence around it, half of a shared gap at most."""
    windows = []
    for index, group in enumerate(groups):
        before = groups[index - 1][-1].end if index else 0
        after = groups[index + 1][0].start if index + 1 < len(groups) else length
        start = max(group[0].start - LEAD_IN, _middle(before, group[0].start) if index else 0)
        if index == 0 and _may_begin_at_the_start(group):
            start = 0
        is_last = index + 1 == len(groups)
        end = min(group[-1].end + LEAD_IN, after if is_last else _middle(group[-1].end, after))
        # Spans are whole frames, and the last frame of the audio may be padded.
        windows.append(WindowRange(start, end, min(group[-1].end, length)))
    return windows


def _may_begin_at_the_start(group: Sequence[Span]) -> bool:
    """Speech that soon begins is heard from the start: its times then lie on the file's grid."""
    return group[0].start <= SOON and group[-1].end + LEAD_IN <= MAX_WINDOW


def _middle(left: int, right: int) -> int:
    return (left + right) // 2
