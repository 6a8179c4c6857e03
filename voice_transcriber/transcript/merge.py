"""From the segments of windows to one transcript in time order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from voice_transcriber.transcript.model import Segment


def merge_segments(windows: Iterable[Sequence[Segment]]) -> tuple[Segment, ...]:
    """Join the segments of all windows, in time order.

    Windows do not overlap, so nothing is dropped; an end that reaches into the
    next segment (the model rounds to 20 ms, and may overshoot a window) is cut back.
    """
    ordered = sorted(
        (segment for window in windows for segment in window),
        key=lambda segment: (segment.start_ms, segment.end_ms),
    )
    joined = [_without_overlap(one, following) for one, following in pairwise(ordered)]
    return (*joined, *ordered[-1:])


def _without_overlap(segment: Segment, following: Segment) -> Segment:
    if segment.end_ms <= following.start_ms:
        return segment
    return replace(segment, end_ms=max(segment.start_ms, following.start_ms))
