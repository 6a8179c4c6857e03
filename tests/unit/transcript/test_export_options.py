"""Options of an export: a wrong one is named with its remedy, and the range is held."""

import math
from typing import Any

import pytest

from voice_transcriber.errors import InvalidRequest
from voice_transcriber.transcript.exporters.export import within_range
from voice_transcriber.transcript.exporters.options import ExportOptions
from voice_transcriber.transcript.model import Segment, Transcript


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"max_line_width": 7}, "max_line_width"),
        ({"max_line_width": 1_001}, "max_line_width"),
        ({"max_line_width": 40, "max_lines": 0}, "max_lines"),
        ({"max_line_width": 40, "max_lines": 21}, "max_lines"),
        ({"max_lines": 2}, "max_lines"),
        ({"max_cps": 0.9}, "max_cps"),
        ({"max_cps": math.nan}, "max_cps"),
        ({"from_s": -1.0}, "from"),
        ({"from_s": math.nan}, "from"),
        ({"to_s": math.inf}, "to"),
        ({"to_s": 0.0}, "to"),
        ({"from_s": 5.0, "to_s": 5.0}, "to"),
    ],
)
def test_a_wrong_value_is_named_with_its_remedy(options: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        ExportOptions(**options)
    assert f"option {name} " in caught.value.message
    assert caught.value.remedy.startswith(f"{name}: ")


def test_the_outermost_values_are_taken() -> None:
    ExportOptions(max_line_width=8, max_lines=1, max_cps=1.0, from_s=0.0, to_s=0.001)
    ExportOptions(max_line_width=1_000, max_lines=20, max_cps=1_000.0)


@pytest.mark.parametrize(
    ("options", "heard"),
    [
        ({}, ["one", "two", "point", "three"]),
        ({"from_s": 1.0}, ["two", "point", "three"]),
        ({"from_s": 0.999}, ["one", "two", "point", "three"]),
        ({"to_s": 2.0}, ["one", "two"]),
        ({"to_s": 2.001}, ["one", "two", "point", "three"]),
        ({"from_s": 2.0, "to_s": 9.0}, ["point", "three"]),
        ({"from_s": 9.0}, []),
    ],
)
def test_a_range_keeps_what_is_heard_in_it(options: dict[str, float], heard: list[str]) -> None:
    segments = (
        Segment(start_ms=0, end_ms=1_000, text="one"),
        Segment(start_ms=1_000, end_ms=2_000, text="two"),
        Segment(start_ms=2_000, end_ms=2_000, text="point"),
        Segment(start_ms=2_000, end_ms=3_000, text="three"),
    )
    whole = Transcript(
        language=None,
        language_probability=None,
        duration_ms=3_000,
        model="base",
        task="transcribe",
        segments=segments,
    )
    kept = within_range(whole, ExportOptions(**options))
    assert [segment.text for segment in kept.segments] == heard
