"""Columns that hold records give back what was written."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.contract.makers import segment_of, transcript_of
from voice_transcriber.store.rows import (
    segments_from_column,
    segments_to_column,
    transcript_from_column,
    transcript_to_column,
)
from voice_transcriber.transcript.model import Segment, Word

WORDS = (Word(start_ms=0, end_ms=400, text=" grün", probability=0.9),)
SEGMENTS = (segment_of(" grün"), replace(segment_of(' "a"\n\x00 b', start_ms=900), words=WORDS))


def test_a_transcript_comes_back_as_it_was() -> None:
    transcript = replace(transcript_of(""), segments=SEGMENTS)
    assert transcript_from_column(transcript_to_column(transcript)) == transcript


def test_segments_come_back_as_they_were() -> None:
    assert segments_from_column(segments_to_column(SEGMENTS)) == SEGMENTS


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_no_number_does_not_hide_the_text(figure: float) -> None:
    odd: Segment = replace(SEGMENTS[1], avg_logprob=figure)
    transcript = replace(transcript_of(""), segments=(odd,))
    (found,) = transcript_from_column(transcript_to_column(transcript)).segments
    assert (found.text, found.words) == (odd.text, odd.words)
    assert str(found.avg_logprob) == str(figure)


def test_whole_numbers_are_read_as_figures() -> None:
    """json writes 0.0 as a figure, and other programs may write 0."""
    written = transcript_to_column(replace(transcript_of(""), segments=SEGMENTS))
    assert transcript_from_column(written.replace("0.0", "0")).segments[0].temperature == 0
