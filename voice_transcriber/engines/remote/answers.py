"""What a server wrote, as segments with times in the file. Nothing it says is taken on trust."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from voice_transcriber.errors import UnknownLanguage
from voice_transcriber.job import SAMPLE_RATE
from voice_transcriber.transcript.languages import language_code
from voice_transcriber.transcript.model import Segment, Word


class UnreadableAnswer(ValueError):
    """The answer is not of the dialect."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    language: str | None  # its code; None when the server does not name one
    segments: tuple[Segment, ...]
    has_times: bool  # False: the text came in one piece


class _Word(msgspec.Struct):
    word: str
    start: float
    end: float


class _Segment(msgspec.Struct):
    start: float
    end: float
    text: str
    tokens: list[int] | None = None
    temperature: float | None = None
    avg_logprob: float | None = None
    compression_ratio: float | None = None
    no_speech_prob: float | None = None
    words: list[_Word] | None = None


class _Answer(msgspec.Struct):
    text: str
    language: str | None = None
    segments: list[_Segment] | None = None
    words: list[_Word] | None = None


def read_answer(body: bytes, *, is_json: bool, start: int, end: int, want_words: bool) -> Answer:
    """`start` and `end` are the samples that were sent. Raises UnreadableAnswer."""
    answer = _decoded(body) if is_json else _Answer(text=_text(body))
    times = _Times(start, end)
    if not answer.segments:
        whole = times.segment(
            _Segment(start=0.0, end=(end - start) / SAMPLE_RATE, text=answer.text)
        )
        kept = (whole,) if whole.text.strip() else ()
        return Answer(language=_language(answer.language), segments=kept, has_times=not kept)
    words = _words_of_segments(answer) if want_words else None
    segments = [
        times.segment(segment, words[index] if words else None)
        for index, segment in enumerate(answer.segments)
    ]
    return Answer(
        language=_language(answer.language),
        segments=tuple(segment for segment in segments if segment.text.strip()),
        has_times=True,
    )


def _decoded(body: bytes) -> _Answer:
    try:
        return msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableAnswer(str(error)) from error


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableAnswer("it is not a text") from error


def _language(name: str | None) -> str | None:
    try:
        return language_code(name) if name else None
    except UnknownLanguage:
        return None


class _Times:
    """From seconds in what was sent to milliseconds in the file."""

    def __init__(self, start: int, end: int) -> None:
        self._start_ms = round(start * 1000 / SAMPLE_RATE)
        self._end_ms = round(end * 1000 / SAMPLE_RATE)

    def segment(self, said: _Segment, words: Sequence[_Word] | None = None) -> Segment:
        start_ms, end_ms = self._span(said.start, said.end)
        text = with_space(said.text)
        return Segment(
            start_ms=start_ms,
            end_ms=end_ms,
            text=text,
            tokens=tuple(said.tokens or ()),
            temperature=said.temperature or 0.0,
            avg_logprob=said.avg_logprob or 0.0,
            compression_ratio=said.compression_ratio or 0.0,
            no_speech_prob=said.no_speech_prob or 0.0,
            words=None if words is None else tuple(self._words(words, text, start_ms, end_ms)),
        )

    def _words(
        self, words: Sequence[_Word], text: str, first_ms: int, last_ms: int
    ) -> Iterator[Word]:
        for word, written in zip(words, as_written(words, text), strict=True):
            start_ms, end_ms = (
                min(max(time_ms, first_ms), last_ms) for time_ms in self._span(word.start, word.end)
            )
            yield Word(start_ms=start_ms, end_ms=end_ms, text=written, probability=0.0)

    def _span(self, start_s: float, end_s: float) -> tuple[int, int]:
        start_ms, end_ms = self._in_file(start_s), self._in_file(end_s)
        return start_ms, max(start_ms, end_ms)

    def _in_file(self, seconds: float) -> int:
        length_s = (self._end_ms - self._start_ms) / 1000
        return self._start_ms + round(1000 * min(max(seconds, 0.0), length_s))


def with_space(text: str) -> str:
    """Text that can be joined to what is before it, where words are parted by spaces."""
    if not text.strip() or text[0].isspace() or unicodedata.east_asian_width(text[0]) in "WF":
        return text
    return f" {text}"


def as_written(words: Sequence[_Word], text: str) -> list[str]:
    """The words as they stand in the text, with the spaces before and the points after them."""
    found, at = [], 0
    for word in words:
        bare = word.word.strip()
        place = text.find(bare, at)
        if place < 0:
            found.append(f" {bare}")
            continue
        end = place + len(bare)
        while end < len(text) and not text[end].isspace() and not text[end].isalnum():
            end += 1
        found.append(text[at:end])
        at = end
    return found


def _words_of_segments(answer: _Answer) -> list[list[_Word]] | None:
    """Some servers list the words of each segment, others all of them; None: there are none."""
    segments = answer.segments or []
    if any(segment.words for segment in segments):
        return [segment.words or [] for segment in segments]
    if not answer.words:
        return None
    shares: list[list[_Word]] = [[] for _ in segments]
    index = 0
    for word in answer.words:
        middle_s = (word.start + word.end) / 2
        while index + 1 < len(segments) and middle_s >= segments[index + 1].start:
            index += 1
        shares[index].append(word)
    return shares
