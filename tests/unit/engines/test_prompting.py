"""Hotwords and prompt as tokens: in their order, and never more than there is room for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voice_transcriber.engines.prompting import prompt_tokens

LIMIT = 20


def encode(text: str) -> list[int]:
    """A token for each character."""
    return [ord(character) for character in text]


def text_of(hotwords: str | None, prompt: str | None, *, limit: int = 1000) -> str:
    tokens = prompt_tokens(encode, hotwords=hotwords, prompt=prompt, limit=limit)
    return "".join(map(chr, tokens))


def test_hotwords_stand_before_the_prompt() -> None:
    assert text_of(" Ada , Byron", " So it was. ") == " Ada, Byron. So it was."


def test_each_may_stand_alone() -> None:
    assert text_of("Ada", None) == " Ada."
    assert text_of(None, "So it was.") == " So it was."


def test_blanks_between_commas_are_no_words() -> None:
    assert text_of(",, Ada ,", None) == " Ada."
    assert text_of(" , ", None) == ""


def test_of_a_long_prompt_the_end_is_kept() -> None:
    assert text_of(None, "0123456789 0123456789 end", limit=LIMIT) == "56789 0123456789 end"


def test_of_many_hotwords_the_first_are_kept_whole_in_half_of_the_room() -> None:
    assert text_of("Ada, Bo, Charles", None, limit=LIMIT) == " Ada, Bo."


def test_a_hotword_that_is_longer_than_the_room_is_left_out() -> None:
    assert text_of("x" * LIMIT, "So", limit=LIMIT) == " So"


@given(st.none() | st.text(max_size=60), st.none() | st.text(max_size=60), st.integers(0, 40))
def test_there_is_never_more_than_the_limit(
    hotwords: str | None, prompt: str | None, limit: int
) -> None:
    assert len(prompt_tokens(encode, hotwords=hotwords, prompt=prompt, limit=limit)) <= limit
