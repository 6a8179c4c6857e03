"""Which language is spoken: elected once, or for each part."""

from __future__ import annotations

from voice_transcriber.job import MAX_GAP, MAX_WINDOW, SAMPLE_RATE, Window
from voice_transcriber.jobs.languages import (
    elected,
    joined_windows,
    languages_in_turn,
    most_spoken,
)

ENGLISH = {"en": 0.97, "de": 0.02, "es": 0.01}
GERMAN = {"en": 0.02, "de": 0.97, "es": 0.01}
UNSURE = {"en": 0.35, "de": 0.4, "es": 0.25}


def window(start_s: float, end_s: float, *, speech: bool = True) -> Window:
    start, end = round(start_s * SAMPLE_RATE), round(end_s * SAMPLE_RATE)
    return Window(
        chunk_index=0,
        start_sample=start,
        end_sample=end,
        speech_end_sample=end if speech else start,
    )


def test_the_highest_mean_is_elected() -> None:
    assert elected([ENGLISH, UNSURE, ENGLISH]) == ("en", 0.7633)


def test_each_window_has_its_language() -> None:
    votes = [ENGLISH, ENGLISH, GERMAN, GERMAN, GERMAN]
    assert languages_in_turn(votes, before=None) == ["en", "en", "de", "de", "de"]


def test_an_unclear_window_keeps_the_language_of_its_neighbours() -> None:
    assert languages_in_turn([ENGLISH, UNSURE, ENGLISH], before=None) == ["en"] * 3
    assert languages_in_turn([GERMAN, UNSURE, GERMAN], before=None) == ["de"] * 3


def test_a_well_founded_change_is_made_for_one_window() -> None:
    sure = {"en": 0.001, "de": 0.999}
    assert languages_in_turn([ENGLISH, sure, ENGLISH], before=None) == ["en", "de", "en"]


def test_the_language_before_the_chunk_counts() -> None:
    assert languages_in_turn([UNSURE], before="en") == ["en"]
    assert languages_in_turn([UNSURE], before=None) == ["de"]
    assert languages_in_turn([GERMAN], before="en") == ["de"]


def test_neighbours_of_one_language_are_one_window() -> None:
    windows = [window(0, 3), window(3, 6), window(6.5, 9), window(9, 12)]
    joined = joined_windows(windows, ["en", "en", "de", "de"])
    assert [(one.start_sample, one.end_sample, one.language) for one in joined] == [
        (0, 6 * SAMPLE_RATE, "en"),
        (round(6.5 * SAMPLE_RATE), 12 * SAMPLE_RATE, "de"),
    ]
    assert joined[-1].speech_end_sample == 12 * SAMPLE_RATE


def test_a_joined_window_is_never_too_long() -> None:
    windows = [window(number * 4, number * 4 + 4) for number in range(20)]
    joined = joined_windows(windows, ["en"] * 20)
    assert all(one.end_sample - one.start_sample <= MAX_WINDOW for one in joined)
    assert len(joined) == 3


def test_silence_parts_windows() -> None:
    after_s = 3 + MAX_GAP / SAMPLE_RATE + 0.1
    apart = [window(0, 3), window(after_s, after_s + 3)]
    assert len(joined_windows(apart, ["en", "en"])) == 2
    silent = [window(0, 3), window(3, 20, speech=False), window(20, 23)]
    assert len(joined_windows(silent, ["en"] * 3)) == 3


def test_the_main_language_is_that_of_most_seconds() -> None:
    windows = joined_windows([window(0, 3), window(3, 4), window(4, 5)], ["de", "en", "en"])
    assert most_spoken(windows) == "de"
    assert most_spoken([window(0, 3)]) is None
