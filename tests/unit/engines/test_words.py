"""Aligned tokens become the words of segments: complete, in order, and inside them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_transcriber.engines.base import WordTiming
from voice_transcriber.engines.words import words_by_segment

Given = tuple[str, float, float]  # text, start, end


def timings_of(*words: Given) -> list[WordTiming]:
    """One token for each word: its place."""
    return [
        WordTiming(text=text, tokens=(number,), start_s=start, end_s=end, probability=0.5)
        for number, (text, start, end) in enumerate(words)
    ]


def words_of(*words: Given, within: tuple[float, float] = (0.0, 30.0)) -> list[Given]:
    """The words of a single segment."""
    timings = timings_of(*words)
    (found,) = words_by_segment(timings, [(len(timings), *within)], decode=no_decode)
    return [(one.text, round(one.start_s, 3), round(one.end_s, 3)) for one in found]


def no_decode(_tokens: Sequence[int]) -> str:
    raise AssertionError("no word has to be cut")


def test_words_that_lie_in_their_segment_stay_as_they_are() -> None:
    words = [(" one", 1.0, 1.4), (" two", 1.5, 2.0)]
    assert words_of(*words) == words


def test_a_first_word_that_swallows_the_pause_begins_with_its_segment() -> None:
    assert words_of((" one", 0.2, 1.4), (" two", 1.4, 1.8), within=(1.0, 2.0)) == [
        (" one", 1.0, 1.4),
        (" two", 1.4, 1.8),
    ]


def test_words_before_their_segment_share_the_time_of_the_first_one_inside() -> None:
    found = words_of((" a", 0.1, 0.3), (" bc", 0.3, 0.6), (" de", 0.6, 2.1), within=(1.0, 2.1))
    assert found == [(" a", 1.0, 1.275), (" bc", 1.275, 1.688), (" de", 1.688, 2.1)]


def test_a_word_after_its_segment_takes_the_time_that_is_left() -> None:
    found = words_of((" ab", 1.0, 1.6), (" cd", 2.4, 2.8), within=(1.0, 2.0))
    assert found == [(" ab", 1.0, 1.6), (" cd", 1.6, 2.0)]


def test_words_for_which_no_time_is_left_share_that_of_the_last_one_inside() -> None:
    found = words_of((" ab", 1.0, 2.0), (" cd", 2.0, 2.4), within=(1.0, 2.0))
    assert found == [(" ab", 1.0, 1.5), (" cd", 1.5, 2.0)]


def test_punctuation_belongs_to_its_word() -> None:
    found = words_of((' "', 0.0, 0.1), ("Hi", 0.1, 0.4), (",", 0.4, 0.6), (" you", 0.7, 0.9))
    assert found == [(' "Hi,', 0.1, 0.4), (" you", 0.7, 0.9)]


def test_the_last_word_sounds_on_while_its_full_stop_is_written() -> None:
    assert words_of((" one", 0.0, 0.4), (".", 0.4, 0.7)) == [(" one.", 0.0, 0.7)]


def test_punctuation_alone_is_a_word_of_its_own() -> None:
    assert words_of((" (", 0.5, 0.9)) == [(" (", 0.5, 0.9)]
    assert words_of(("...", 0.5, 0.9)) == [("...", 0.5, 0.9)]


def test_the_pause_between_two_sentences_is_in_none_of_their_words() -> None:
    found = words_of(
        (" one", 0.0, 0.3),
        (" two", 0.3, 0.6),
        (".", 0.6, 0.8),
        (" And", 0.8, 4.0),
        (" so", 4.0, 4.3),
    )
    assert found[2] == (" And", 3.4, 4.0)


def test_a_word_across_a_border_is_cut_there() -> None:
    word = WordTiming(text=" ab", tokens=(7, 8), start_s=1.0, end_s=2.0, probability=0.5)
    texts = {7: " a", 8: "b"}
    found = words_by_segment(
        [word], [(1, 0.0, 2.0), (1, 2.0, 3.0)], decode=lambda tokens: texts[tokens[0]]
    )
    assert [[one.text for one in words] for words in found] == [[" a"], ["b"]]


def test_a_segment_without_text_has_no_words() -> None:
    assert list(words_by_segment([], [(0, 0.0, 1.0)], decode=no_decode)) == [[]]


times = st.floats(0, 30, allow_nan=False)
texts = st.sampled_from([" one", " three", "four", ",", ".", " (", '"', " ¿", "。", " -"])


@given(
    st.lists(st.tuples(texts, times, times), min_size=1, max_size=25),
    st.lists(st.tuples(st.integers(1, 5), times, times), min_size=1, max_size=8),
)
def test_whatever_is_aligned_words_are_complete_and_in_order_inside_their_segments(
    aligned: list[Given], borders: list[tuple[int, float, float]]
) -> None:
    moments = sorted(moment for _, *pair in aligned for moment in pair)
    timings = timings_of(
        *(
            (text, start, end)
            for (text, *_), start, end in zip(aligned, moments[::2], moments[1::2], strict=True)
        )
    )
    edges = sorted(moment for _, *pair in borders for moment in pair)
    counts = [count for count, _, _ in borders]
    segments = list(zip(counts, edges[::2], edges[1::2], strict=True))
    remaining = [timing.text for timing in timings]
    found = list(words_by_segment(timings, segments, decode=no_decode))
    for words, (count, start_s, end_s) in zip(found, segments, strict=True):
        assert "".join(word.text for word in words) == "".join(remaining[:count])
        remaining = remaining[count:]
        assert all(start_s <= word.start_s <= word.end_s <= end_s for word in words)
        assert all(one.end_s <= other.start_s for one, other in pairwise(words))


@pytest.mark.parametrize("length_s", [0.0, 0.02])
def test_a_segment_that_lasts_no_time_still_has_its_words(length_s: float) -> None:
    found = words_of((" a", 0.0, 0.4), (" b", 0.4, 0.9), within=(1.0, 1.0 + length_s))
    assert [text for text, _, _ in found] == [" a", " b"]
