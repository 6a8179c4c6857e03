"""Times as people write them."""

from __future__ import annotations

import pytest

from voice_transcriber.transcript.times import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 90.5 ", 90.5),
        ("90", 90.0),
        ("1:30", 90.0),
        ("90:00", 5400.0),
        ("1:02:03.5", 3723.5),
    ],
)
def test_a_time_is_seconds_or_a_clock(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "-1", "1:60", "1:60:00", "1:-2", "1.5:00", ":30", "1:2:3:4"),
        *("inf", "nan", "1e9", "9" * 400 + ":00", "1e999", "9" * 5000),
    ],
)
def test_what_is_no_time_is_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(ValueError, match="1:02:03"):
        seconds_of(text)
