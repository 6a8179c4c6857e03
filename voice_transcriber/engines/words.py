"""From aligned tokens to the words of segments. Pure.

An engine aligns a whole window. Attention often jumps to a sentence while the pause before it
still lasts, whereas the segment's own times are exact: so words are kept inside their segment.
Punctuation belongs to its word, and words that swallow a pause are shortened, by the rules of
openai-whisper's add_word_timestamps (timing.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from voice_transcriber.engines.base import WordTiming

PREPENDED = "\"'“¿([{-"  # punctuation that belongs to the word after it
APPENDED = "\"'.。,，!！?？:：”)]}、"  # and to the word before it  # noqa: RUF001
SENTENCE_ENDS = ".。!！?？"  # noqa: RUF001
MAX_MEDIAN_S = 0.7  # a typical word is not longer; one of twice the median has swallowed a pause

Decode = Callable[[Sequence[int]], str]


def words_by_segment(
    timings: Sequence[WordTiming],
    segments: Sequence[tuple[int, float, float]],
    *,
    decode: Decode,
) -> Iterator[list[WordTiming]]:
    """The words of each segment in turn.

    `segments` are (number of text tokens, start, end), the times in seconds from the window's
    start. Words ascend, do not overlap, lie in their segment and hold all of its tokens.
    """
    longest_s = _longest_s(timings)
    remaining = list(_without_pauses(timings, longest_s))
    for count, start_s, end_s in segments:
        taken, remaining = _split(remaining, count, decode)
        yield _fitted(_with_its_tail(_merged(taken), taken), start_s, end_s)


def _longest_s(timings: Sequence[WordTiming]) -> float:
    lengths_s = [one.end_s - one.start_s for one in timings if one.end_s > one.start_s]
    return 2 * min(MAX_MEDIAN_S, median(lengths_s)) if lengths_s else 0.0


def _without_pauses(timings: Sequence[WordTiming], longest_s: float) -> Iterator[WordTiming]:
    """A pause between two sentences is neither in the full stop nor in the word that follows."""
    yield from timings[:1]
    for before, word in pairwise(timings):
        if word.end_s - word.start_s <= longest_s:
            yield word
        elif word.text in SENTENCE_ENDS:
            yield replace(word, end_s=word.start_s + longest_s)
        elif before.text in SENTENCE_ENDS:
            yield replace(word, start_s=word.end_s - longest_s)
        else:
            yield word


def _split(
    timings: Sequence[WordTiming], count: int, decode: Decode
) -> tuple[list[WordTiming], list[WordTiming]]:
    """The words of the first `count` tokens, and the others; a word on the border is cut."""
    for index, word in enumerate(timings):
        if count <= 0:
            return list(timings[:index]), list(timings[index:])
        if len(word.tokens) > count:
            first, second = _halves(word, count, decode)
            return [*timings[:index], first], [second, *timings[index + 1 :]]
        count -= len(word.tokens)
    return list(timings), []


def _halves(word: WordTiming, count: int, decode: Decode) -> tuple[WordTiming, WordTiming]:
    first, second = word.tokens[:count], word.tokens[count:]
    return (
        replace(word, tokens=first, text=decode(first)),
        replace(word, tokens=second, text=decode(second), start_s=word.end_s),
    )


def _merged(words: Sequence[WordTiming]) -> list[WordTiming]:
    """Punctuation as part of its word; its own time is none of the word's."""
    merged: list[WordTiming] = []
    opening: WordTiming | None = None
    for word in words:
        if opening is not None:
            word = replace(_joined(opening, word), start_s=word.start_s)
            opening = None
        if word.text.startswith(" ") and word.text.strip() and word.text.strip() in PREPENDED:
            opening = word
        elif merged and word.text and word.text in APPENDED and not merged[-1].text.endswith(" "):
            merged[-1] = _joined(merged[-1], word)
        else:
            merged.append(word)
    return merged if opening is None else [*merged, opening]


def _with_its_tail(
    words: Sequence[WordTiming], timings: Sequence[WordTiming]
) -> Sequence[WordTiming]:
    """The last word sounds on while its full stop is written."""
    if not words:
        return words
    return [*words[:-1], replace(words[-1], end_s=max(words[-1].end_s, timings[-1].end_s))]


def _joined(first: WordTiming, second: WordTiming) -> WordTiming:
    """Both texts with the times of the word among them."""
    word = second if first.text.strip() in PREPENDED else first
    return replace(word, text=first.text + second.text, tokens=first.tokens + second.tokens)


def _fitted(words: Sequence[WordTiming], start_s: float, end_s: float) -> list[WordTiming]:
    """Within start_s..end_s; those that lie wholly outside share the time of their neighbour."""
    borders = [min(max(word.start_s, start_s), end_s) for word in words]
    ends = [min(max(word.end_s, start_s), end_s) for word in words]
    fitted: list[WordTiming] = []
    crowd: list[WordTiming] = []
    at_s = start_s
    for word, border_s, word_end_s in zip(words, borders, ends, strict=True):
        crowd.append(word)
        if word_end_s <= at_s:
            continue
        is_apart = len(crowd) == 1 and at_s < border_s < word_end_s
        first_s = border_s if is_apart else at_s
        fitted += _shared(crowd, first_s, word_end_s)
        crowd, at_s = [], word_end_s
    if not crowd:
        return fitted
    if fitted:
        crowd.insert(0, fitted.pop())
        at_s = crowd[0].start_s
    return [*fitted, *_shared(crowd, at_s, end_s)]


def _shared(words: Sequence[WordTiming], start_s: float, end_s: float) -> list[WordTiming]:
    """The words one after the other, each as long as it has letters."""
    letters = sum(len(word.text) for word in words)
    shared = []
    at_s = start_s
    for word in words:
        next_s = min(end_s, at_s + (end_s - start_s) * len(word.text) / max(letters, 1))
        shared.append(replace(word, start_s=at_s, end_s=next_s))
        at_s = next_s
    return shared
