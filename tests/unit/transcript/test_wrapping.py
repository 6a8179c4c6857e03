"""Where lines end: at spaces, between ideographs, and inside a word only when it must be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_transcriber.transcript.exporters.wrapping import single_spaced, wrap

SIGNS = "ab é=\xa0\u3000日本語、。「」ーっ\u0301\u200d👩🏽ไทย"


def wrapped(text: str, width: int) -> list[str]:
    return [text[start:end] for start, end in wrap(text, width=width)]


def test_a_text_that_fits_is_one_line() -> None:
    assert wrapped("Good morning.", 13) == ["Good morning."]


def test_lines_end_between_words_and_take_what_they_hold() -> None:
    assert wrapped("Good morning to all of you.", 12) == ["Good morning", "to all of", "you."]


def test_a_word_that_is_too_long_is_cut() -> None:
    assert wrapped("an extraordinary day", 8) == ["an", "extraord", "inary", "day"]


def test_a_mark_stays_with_its_letter() -> None:
    assert wrapped("ne\u0301e\u0301e\u0301", 4) == ["ne\u0301", "e\u0301e\u0301"]


def test_a_picture_of_several_signs_stays_whole() -> None:
    assert wrapped("aaaa👩\u200d👩\u200d👧", 8) == ["aaaa", "👩\u200d👩\u200d👧"]


def test_japanese_breaks_between_signs() -> None:
    assert wrapped("東京は日本の首都である", 4) == ["東京は日", "本の首都", "である"]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("これは本。次", 4, ["これは", "本。次"]),
        ("彼は「はい」", 3, ["彼は", "「は", "い」"]),
        ("いまチャット", 3, ["いま", "チャッ", "ト"]),
    ],
)
def test_japanese_lines_neither_start_with_a_closing_sign_nor_end_with_an_opening_one(
    text: str, width: int, lines: list[str]
) -> None:
    assert wrapped(text, width) == lines


def test_a_space_that_forbids_a_break_keeps_its_words_together() -> None:
    assert wrapped(single_spaced("Il dit  bonjour\xa0!"), 10) == ["Il dit", "bonjour\xa0!"]


@given(text=st.text(alphabet=SIGNS, max_size=80), width=st.integers(1, 20))
def test_no_line_is_too_long_and_only_single_spaces_go(text: str, width: int) -> None:
    text = single_spaced(text).strip(" ")
    lines = wrapped(text, width)
    assert max(map(len, lines)) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(
    words=st.lists(st.text("abcdé", min_size=1, max_size=9), min_size=1), width=st.integers(9, 30)
)
def test_words_that_fit_are_never_cut(words: list[str], width: int) -> None:
    assert " ".join(wrapped(" ".join(words), width)).split() == words
