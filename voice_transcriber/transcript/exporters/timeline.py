"""When each character of a segment is spoken."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from voice_transcriber.transcript.exporters.clean import one_line
from voice_transcriber.transcript.model import Segment


class _Span(NamedTuple):
    """Visible characters that are spoken evenly in a stretch of time."""

    start: int
    end: int
    start_ms: int
    end_ms: int

    def time_ms(self, place: int) -> int:
        share = (place - self.start) / (self.end - self.start)
        return round(self.start_ms + share * (self.end_ms - self.start_ms))


class Timeline:
    """By the times of the words, else evenly over the segment. Places count visible characters."""

    def __init__(self, segment: Segment) -> None:
        self._low_ms, self._high_ms = segment.start_ms, max(segment.start_ms, segment.end_ms)
        text = visible(segment.text)
        whole = _Span(0, len(text), self._low_ms, self._high_ms)
        self._spans: Sequence[_Span] = _word_spans(segment, text) or [whole]
        self._starts = [span.start for span in self._spans]

    def start_ms(self, place: int) -> int:
        """When the character at this place begins."""
        return self._within(self._span_at(place).time_ms(place))

    def end_ms(self, place: int) -> int:
        """When the character before this place ends; it may be long before the next one begins."""
        return self._within(self._span_at(max(0, place - 1)).time_ms(place))

    def _span_at(self, place: int) -> _Span:
        return self._spans[bisect_right(self._starts, place) - 1]

    def _within(self, time_ms: int) -> int:
        return min(max(time_ms, self._low_ms), self._high_ms)


def visible(text: str) -> str:
    """The text without spaces and control characters."""
    return "".join((text if text.isprintable() else one_line(text)).split())


def _word_spans(segment: Segment, text: str) -> list[_Span]:
    """Empty when there are no word times, or they are of another text."""
    spans: list[_Span] = []
    place = 0
    for word in segment.words or ():
        spoken = visible(word.text)
        if not text.startswith(spoken, place):
            return []
        if spoken:
            spans.append(_Span(place, place + len(spoken), word.start_ms, word.end_ms))
            place += len(spoken)
    return spans if place == len(text) else []
