"""One recording out of several, and several out of one: cut in the pauses between sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise

from bench.recordings import Recording


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """What is said from start to end, in seconds of its recording."""

    text: str
    start_s: float
    end_s: float
    language: str

    def moved(self, by_s: float) -> Sentence:
        return Sentence(
            text=self.text,
            start_s=self.start_s + by_s,
            end_s=self.end_s + by_s,
            language=self.language,
        )


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of a recording, and its sentences with times in the part."""

    start_s: float
    end_s: float
    sentences: Sequence[Sentence]


def sentences_of(recording: Recording) -> list[Sentence]:
    parts = zip(
        recording.sentences,
        recording.starts_s,
        recording.ends_s,
        recording.sentence_languages,
        strict=True,
    )
    return [
        Sentence(text=text, start_s=start_s, end_s=end_s, language=language)
        for text, start_s, end_s, language in parts
    ]


def nearest_to(length_s: float, lengths_s: Mapping[str, float]) -> list[str]:
    """Names in turn, again from the first, whose lengths together are nearest to `length_s`."""
    names: list[str] = []
    total_s = 0.0
    for name in cycle(lengths_s):
        with_it_s = total_s + lengths_s[name]
        if names and abs(with_it_s - length_s) > abs(total_s - length_s):
            break
        names.append(name)
        total_s = with_it_s
    return names


def joined(parts: Sequence[tuple[Sequence[Sentence], float]]) -> list[Sentence]:
    """The sentences of recordings one after the other; with each its length in seconds."""
    found: list[Sentence] = []
    start_s = 0.0
    for sentences, length_s in parts:
        found += [sentence.moved(start_s) for sentence in sentences]
        start_s += length_s
    return found


def cut(sentences: Sequence[Sentence], *, total_s: float, piece_s: float) -> list[Piece]:
    """Pieces of about `piece_s` that cover the recording: cut in the middle of the pauses that are
    nearest to the multiples of `piece_s`, never within a sentence.
    """
    borders_s = [0.0, *_borders(sentences, total_s=total_s, piece_s=piece_s), total_s]
    return [
        Piece(
            start_s=start_s,
            end_s=end_s,
            sentences=[one.moved(-start_s) for one in sentences if start_s <= one.start_s < end_s],
        )
        for start_s, end_s in pairwise(borders_s)
    ]


def _borders(sentences: Sequence[Sentence], *, total_s: float, piece_s: float) -> Iterator[float]:
    middles_s = [(one.end_s + after.start_s) / 2 for one, after in pairwise(sentences)]
    for number in range(1, round(total_s / piece_s)):
        if not middles_s:
            return
        wanted_s = number * piece_s
        nearest = min(middles_s, key=lambda middle_s: abs(middle_s - wanted_s))
        yield nearest
        middles_s = [middle_s for middle_s in middles_s if middle_s > nearest]
