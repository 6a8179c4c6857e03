"""The tree of errors: each has a code of its own, a sentence and a remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from voice_transcriber import errors
from voice_transcriber.errors import InternalError, NotMedia, TranscriberError, error_from_code
from voice_transcriber.web.errors import STATUS_OF, Problem


def tree(kind: type[TranscriberError] = TranscriberError) -> Iterator[type[TranscriberError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


KINDS = list(tree())


@pytest.mark.parametrize("kind", KINDS)
def test_the_docstring_is_the_message_and_there_is_a_remedy(kind: type[TranscriberError]) -> None:
    error = kind()
    assert error.message == str(error) == kind.__doc__
    assert error.message.endswith(".")
    assert error.remedy.endswith(".")


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_can_be_rebuilt_from_its_code(kind: type[TranscriberError]) -> None:
    error = error_from_code(kind.code, "What happened.", "What to do.")
    assert type(error) is kind
    assert (error.message, error.remedy) == ("What happened.", "What to do.")


def test_no_two_errors_share_a_code() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS)


def test_an_unknown_code_is_a_mistake_of_the_program() -> None:
    assert type(error_from_code("no_such_code", "m", "r")) is InternalError


def test_a_message_of_its_own_replaces_the_sentence_of_the_class() -> None:
    error = NotMedia("This is a text.", remedy="Send a recording.")
    assert (str(error), error.remedy) == ("This is a text.", "Send a recording.")


def test_the_tree_on_top_of_the_module_is_complete() -> None:
    drawn = set(re.findall(r"^ *([A-Z]\w+)", str(errors.__doc__).split("The docstring")[0], re.M))
    assert drawn - {"Every"} == {kind.__name__ for kind in KINDS}


def test_what_a_client_may_try_later_says_when() -> None:
    for kind, status in STATUS_OF.items():
        if status in {429, 503, 507}:
            assert "Retry-After" in Problem.of(kind()).headers, kind
