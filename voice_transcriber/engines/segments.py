"""From the tokens of one window to segments with times, and what the window left out.

Pure. The rules are those of openai-whisper's transcribe() (transcribe.py): two
timestamp tokens in a row end a segment; text after the last pair is unfinished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voice_transcriber.engines.base import Tokens

TIMESTAMP_STEP_MS = 20
UNFINISHED_MS = 1000  # speech that goes on this much longer than the text is decoded again


@dataclass(frozen=True)
class TimedTokens:
    """One segment's tokens; times in ms from the window's start."""

    start_ms: int
    end_ms: int
    tokens: tuple[int, ...]  # with its timestamp tokens


@dataclass(frozen=True)
class ParsedWindow:
    """The kept segments, and where decoding has to go on (None: the window is complete)."""

    segments: tuple[TimedTokens, ...]
    resume_ms: int | None


def parse_window(
    tokens: Sequence[int],
    vocabulary: Tokens,
    *,
    length_ms: int,
    speech_end_ms: int,
    vad_filter: bool = True,
) -> ParsedWindow:
    """Split decoded tokens at their timestamps.

    Whisper leaves out, or leaves open, a sentence that is cut off at the window's
    end. When the kept text ends more than a second before the speech does,
    `resume_ms` says from where the rest has to be decoded as a window of its own. Without the
    `vad_filter` speech may go on to the window's end, unless a single timestamp at the end of
    the text says that nothing follows.
    """
    begin = vocabulary.timestamp_begin
    pieces, tail = _split(tokens, begin)
    kept = tuple(_timed(piece, begin, length_ms) for piece in pieces)
    end_ms = kept[-1].end_ms if kept else 0
    if not (vad_filter or _is_closed(tokens, begin)):
        speech_end_ms = length_ms
    if end_ms > 0 and speech_end_ms - end_ms > UNFINISHED_MS:
        return ParsedWindow(kept, end_ms)
    return ParsedWindow((*kept, *_open(tail, begin, length_ms)), None)


def _split(tokens: Sequence[int], begin: int) -> tuple[list[Sequence[int]], Sequence[int]]:
    """Runs of tokens that begin and end with a timestamp, and the open rest."""
    borders = [
        index
        for index in range(1, len(tokens))
        if tokens[index] >= begin and tokens[index - 1] >= begin
    ]
    if _is_closed(tokens, begin):
        borders.append(len(tokens))
    starts = [0, *borders]
    closed = [
        tokens[start:end]
        for start, end in zip(starts, borders, strict=False)
        if end - start > 2 and tokens[start] >= begin
    ]
    return closed, tokens[starts[-1] :]


def _is_closed(tokens: Sequence[int], begin: int) -> bool:
    return len(tokens) >= 2 and tokens[-1] >= begin > tokens[-2]


def _timed(piece: Sequence[int], begin: int, length_ms: int) -> TimedTokens:
    """The model hears a short window as 30 s and may set a time after its end."""
    start_ms = min((piece[0] - begin) * TIMESTAMP_STEP_MS, length_ms)
    end_ms = min((piece[-1] - begin) * TIMESTAMP_STEP_MS, length_ms)
    return TimedTokens(start_ms, max(start_ms, end_ms), tuple(piece))


def _open(tokens: Sequence[int], begin: int, length_ms: int) -> tuple[TimedTokens, ...]:
    """Text that nothing closes, if there is any, lasts from its first timestamp to the end."""
    if all(token >= begin for token in tokens):
        return ()
    first = tokens[0]
    start_ms = (first - begin) * TIMESTAMP_STEP_MS if first >= begin else 0
    return (TimedTokens(min(start_ms, length_ms), length_ms, tuple(tokens)),)
