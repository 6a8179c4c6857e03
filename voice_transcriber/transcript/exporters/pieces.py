"""Text as the pieces that may begin a new line, and the time at which each is spoken."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from voice_transcriber.transcript.exporters.clean import one_line
from voice_transcriber.transcript.model import Segment

# Chinese and Japanese are written without spaces: a line may end after nearly every sign, but
# not before a closing one nor after an opening one.
_SIGN = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
_OPENING = r"\u3008\u300a\u300c\u300e\u3010\u3014\u3016\u3018\uff08\uff3b\uff5b"
_CLOSING = (
    r"\u3001\u3002\u3005\u3009\u300b\u300d\u300f\u3011\u3015\u3017\u3019\u301c"
    r"\u3041\u3043\u3045\u3047\u3049\u3063\u3083\u3085\u3087\u308e"
    r"\u30a1\u30a3\u30a5\u30a7\u30a9\u30c3\u30e3\u30e5\u30e7\u30fb\u30fc"
    r"\uff01\uff09\uff0c\uff0e\uff1a\uff1b\uff1f\uff3d\uff5d"
)
_HAS_SIGN = re.compile(f"[{_SIGN}]")
_UNIT = re.compile(f"[{_OPENING}]*(?:[{_SIGN}]|[^{_SIGN}{_OPENING}]+)[{_CLOSING}]*|.")
_SPACES = re.compile(r"[^\S\xa0\u2007\u202f]+")  # those that allow a break
_JOINER = "\u200d"  # glues emoji and some Indic letters together


class Piece(NamedTuple):
    """What stays on one line. Places count the visible characters of the text."""

    text: str
    is_spaced: bool  # a space stands before it
    start: int
    end: int


def pieces_of(text: str, *, longest: int) -> list[Piece]:
    """The words of a line; one of more than `longest` characters is cut between two letters."""
    pieces: list[Piece] = []
    place = 0
    has_signs = _HAS_SIGN.search(text) is not None
    for word in text.split() if text.isascii() else _SPACES.split(text):
        is_whole = len(word) <= longest and not has_signs
        for number, part in enumerate((word,) if is_whole else _parts(word, longest)):
            end = place + len(visible(part))
            pieces.append(Piece(part, number == 0, place, end))
            place = end
    return pieces


def visible(text: str) -> str:
    """The text without spaces and control characters."""
    return "".join((text if text.isprintable() else one_line(text)).split())


def _parts(word: str, longest: int) -> Iterator[str]:
    units = _UNIT.findall(word) if _HAS_SIGN.search(word) else (word,)
    for unit in units:
        start = 0
        while len(unit) - start > longest:
            end = _cut(unit, start, start + longest)
            yield unit[start:end]
            start = end
        yield unit[start:]


def _cut(text: str, start: int, end: int) -> int:
    """The last place up to `end` that separates no mark from its letter; `end` if there is none."""
    for place in range(end, start, -1):
        if not _belongs_to_the_sign_before(text, place):
            return place
    return end


def _belongs_to_the_sign_before(text: str, place: int) -> bool:
    sign = text[place]
    return (
        unicodedata.category(sign) in {"Mn", "Mc", "Me"}
        or "\U0001f3fb" <= sign <= "\U0001f3ff"  # skin tones
        or _JOINER in {sign, text[place - 1]}
    )


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
    """When each character of a segment is spoken: by its words, else evenly over the segment."""

    def __init__(self, segment: Segment) -> None:
        self._low_ms, self._high_ms = segment.start_ms, max(segment.start_ms, segment.end_ms)
        text = visible(segment.text)
        whole = _Span(0, len(text), self._low_ms, self._high_ms)
        self._spans: Sequence[_Span] = _word_spans(segment, text) or [whole]
        self._starts = [span.start for span in self._spans]

    def start_ms(self, piece: Piece) -> int:
        return self._within(self._span_at(piece.start).time_ms(piece.start))

    def end_ms(self, piece: Piece) -> int:
        return self._within(self._span_at(max(0, piece.end - 1)).time_ms(piece.end))

    def _span_at(self, place: int) -> _Span:
        return self._spans[bisect_right(self._starts, place) - 1]

    def _within(self, time_ms: int) -> int:
        return min(max(time_ms, self._low_ms), self._high_ms)


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
