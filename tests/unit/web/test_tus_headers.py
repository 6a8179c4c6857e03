"""The headers of tus: what is right is read, what is wrong is InvalidRequest and nothing else."""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_transcriber.errors import ChecksumMismatch, InvalidRequest
from voice_transcriber.web.announced import announced
from voice_transcriber.web.tus_headers import parse_checksum, parse_metadata, parse_number

VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=",")
NAMES = st.text(VISIBLE, min_size=1, max_size=60)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@given(st.dictionaries(NAMES, TEXTS))
def test_what_a_client_writes_is_read(values: dict[str, str]) -> None:
    text = ",".join(f"{name} {encoded(value)}" for name, value in values.items())
    assert parse_metadata(text) == values


def test_a_name_may_stand_alone_and_blanks_do_no_harm() -> None:
    assert parse_metadata(f"private, filename {encoded('a.wav')}") == {
        "private": "",
        "filename": "a.wav",
    }
    assert parse_metadata(" ") == {}


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (
        parse_metadata,
        parse_checksum,
        announced,
        lambda given: parse_number("Upload-Offset", given),
    ):
        with suppress(InvalidRequest):
            parse(text)


@pytest.mark.parametrize("text", [None, "", "-1", "+1", "1.0", " 1", "\u0661", "1" * 16, "1e3"])
def test_a_number_of_bytes_is_digits(text: str | None) -> None:
    with pytest.raises(InvalidRequest):
        parse_number("Upload-Length", text)


@given(st.lists(st.binary()), st.binary())
def test_only_the_right_sum_lets_bytes_pass(pieces: list[bytes], other: bytes) -> None:
    whole = b"".join(pieces)
    right = parse_checksum(f"sha256 {base64.b64encode(hashlib.sha256(whole).digest()).decode()}")
    assert right is not None
    assert list(right.checked(pieces)) == pieces
    if other != whole:
        with pytest.raises(ChecksumMismatch):
            list(right.checked([other]))
