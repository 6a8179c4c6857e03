"""Figures in the words of the page."""

from __future__ import annotations

import pytest

from voice_transcriber.web.wording import clock, duration, from_word, size


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (1_540, "1.5 kB"),
        (145_000_000, "145 MB"),
        (999_600_000, "1 GB"),
        (2_890_000_000, "2.9 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_sizes_have_few_figures(size_bytes: int, text: str) -> None:
    assert size(size_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5.63, "5.6 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (185, "3 min 5 s"),
        (3_600, "1 h"),
        (86_399, "23 h 59 min"),
    ],
)
def test_durations_are_told_in_the_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [(999, "0:00"), (7_000, "0:07"), (750_000, "12:30"), (3_723_000, "1:02:03")],
)
def test_places_are_told_as_players_do(time_ms: int, text: str) -> None:
    assert clock(time_ms) == text


def test_a_text_cut_within_a_word_starts_with_the_next_one() -> None:
    assert from_word("es. The train leaves.") == "… The train leaves."
    assert from_word("The train leaves.") == "The train leaves."
