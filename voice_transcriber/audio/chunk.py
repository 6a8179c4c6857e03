"""From spans of speech to windows of at most 30 s: pure functions over sample numbers.

A window is one contiguous range. Spans that follow each other closely share a
window with the silence between them; speech is never concatenated. So a time
in the window plus the window's start is a time in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from voice_transcriber.audio.vad import FRAME_SAMPLES, Probabilities, Span
from voice_transcriber.job import MAX_GAP, MAX_WINDOW, SAMPLE_RATE

LOWEST_POINT_RANGE = 10 * SAMPLE_RATE  # long speech is cut somewhere in the last 10 s
SOON = SAMPLE_RATE
LEAD_IN = int(0.3 * SAMPLE_RATE)  # audio kept before the first and after the last span
MAX_SPEECH = MAX_WINDOW - 2 * LEAD_IN  # so that the margins push no speech out of the window


@dataclass(frozen=True)
class WindowRange:
    """A window's samples, and where the last speech in it ends: at its start if none is known."""

    start: int
    end: int
    speech_end: int


def windows_from_spans(
    spans: Sequence[Span],
    probabilities: Probabilities,
    *,
    length: int,
    limit: int = MAX_SPEECH,
    is_first: bool = True,
) -> list[WindowRange]:
    """Pack spans into windows, in time order, without overlap, within 0..length.

    `is_first`: nothing lies before 0; speech that soon begins is heard from there then.
    Spans share a window while their speech is at most `limit` samples long; a longer span
    has a window of its own, and is cut only when it is longer than any window may be.
    """
    pieces = [piece for span in spans for piece in split_long(span, probabilities)]
    groups: list[list[Span]] = []
    for piece in pieces:
        if groups and _fits(groups[-1], piece, limit):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return _with_margins(groups, length=length, is_first=is_first)


def with_all_between(
    windows: Sequence[WindowRange], *, length: int, quietest: Callable[[int, int], int]
) -> list[WindowRange]:
    """The windows of speech, and windows over all that lies between them (vad_filter off).

    `quietest(first, last)` says where between two samples a cut hurts least.
    """
    everything: list[WindowRange] = []
    at = 0
    for window in [*windows, WindowRange(length, length, length)]:
        if everything and window.start - at <= SOON and _can_reach(everything[-1], window.start):
            everything[-1] = replace(everything[-1], end=window.start)
        else:
            everything += _silent_windows(at, window.start, quietest)
        if window.end > window.start:
            everything.append(window)
        at = window.end
    return everything


def closed(
    windows: Sequence[WindowRange], *, length: int, quietest: Callable[[int, int], int]
) -> tuple[list[WindowRange], int]:
    """The windows of a chunk that another one follows, and where it ends.

    Speech may go on behind `length`, so the last window is left to the next chunk, which begins
    with it: between two windows a cut costs nothing. A last window that fills half of the chunk
    is cut; `quietest(first, last)` says where between two samples that hurts least.
    """
    if not windows or length - windows[-1].end > MAX_GAP:
        return list(windows), length - SOON  # a word may begin in the last moment
    *others, last = windows
    if last.start >= length // 2:
        return others, last.start
    cut = quietest(length // 2, length)
    return [*others, replace(last, end=cut, speech_end=min(last.speech_end, cut))], cut


def _can_reach(window: WindowRange, sample: int) -> bool:
    return sample - window.start <= MAX_WINDOW


def _silent_windows(
    start: int, end: int, quietest: Callable[[int, int], int]
) -> Iterator[WindowRange]:
    """Windows without speech as far as is known; they meet."""
    while end - start > MAX_WINDOW:
        last = start + MAX_WINDOW
        cut = quietest(last - LOWEST_POINT_RANGE, last)
        yield WindowRange(start, cut, start)
        start = cut
    if end > start:
        yield WindowRange(start, end, start)


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


def _fits(group: Sequence[Span], piece: Span, limit: int) -> bool:
    close = piece.start - group[-1].end <= MAX_GAP
    return close and piece.end - group[0].start <= limit


def _with_margins(
    groups: Sequence[Sequence[Span]], *, length: int, is_first: bool
) -> list[WindowRange]:
    """Widen each group into the silence around it, half of a shared gap at most."""
    windows = []
    for index, group in enumerate(groups):
        before = groups[index - 1][-1].end if index else 0
        after = groups[index + 1][0].start if index + 1 < len(groups) else length
        start = max(group[0].start - LEAD_IN, _middle(before, group[0].start) if index else 0)
        if index == 0 and is_first and _may_begin_at_the_start(group):
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
