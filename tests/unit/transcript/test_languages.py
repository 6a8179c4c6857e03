"""Languages by code and by name."""

import pytest
import whisper.tokenizer

from voice_transcriber.errors import UnknownLanguage
from voice_transcriber.transcript.languages import (
    LANGUAGES,
    OTHER_NAMES,
    language_code,
    language_name,
)


def test_the_tables_are_those_of_whisper() -> None:
    assert LANGUAGES == whisper.tokenizer.LANGUAGES
    names = {name: code for code, name in LANGUAGES.items()}
    assert {**OTHER_NAMES, **names} == whisper.tokenizer.TO_LANGUAGE_CODE


@pytest.mark.parametrize("text", ["de", "DE", " german ", "German"])
def test_a_code_or_a_name_in_any_case_gives_the_code(text: str) -> None:
    assert language_code(text) == "de"


def test_a_second_name_gives_the_code() -> None:
    assert language_code("Castilian") == "es"


@pytest.mark.parametrize("text", ["xx", "", "klingon"])
def test_an_unknown_language_says_what_to_give(text: str) -> None:
    with pytest.raises(UnknownLanguage) as caught:
        language_code(text)
    assert repr(text) in caught.value.message
    assert "en, de or es" in caught.value.remedy


def test_a_name_is_written_as_people_write_it() -> None:
    assert language_name("ht") == "Haitian Creole"
