"""From spans of speech to windows: nothing spoken is left out, nothing is heard twice."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from voice_transcriber.audio.chunk import (
    LEAD_IN,
    LOWEST_POINT_RANGE,
    WindowRange,
    closed,
    split_long,
    windows_from_spans,
    with_all_between,
)
from voice_transcriber.audio.vad import FRAME_SAMPLES, Probabilities, Span, speech_spans
from voice_transcriber.job import MAX_GAP, MAX_WINDOW, SAMPLE_RATE

FRAMES_PER_S = SAMPLE_RATE / FRAME_SAMPLES
EVEN = np.full(round(400 * FRAMES_PER_S), 0.9, np.float32)  # nothing tells where to cut


def windows_of(*spans_s: tuple[float, float], length_s: float = 300) -> list[WindowRange]:
    spans = [Span(frame(start), frame(end)) for start, end in spans_s]
    return windows_from_spans(spans, EVEN, length=round(length_s * SAMPLE_RATE))


def middle(first: int, last: int) -> int:
    return (first + last) // 2


def frame(seconds: float) -> int:
    """The first sample of the frame at this time."""
    return round(seconds * FRAMES_PER_S) * FRAME_SAMPLES


@st.composite
def chunks(draw: st.DrawFn) -> tuple[Probabilities, int]:
    """Stretches of speech and silence, of a fraction of a second up to minutes, and the length."""
    frames: list[float] = []
    speaks = draw(st.booleans())
    for seconds in draw(st.lists(st.floats(0.05, 80), min_size=1, max_size=12)):
        low, high = (0.5, 1.0) if speaks else (0.0, 0.3)
        noise = draw(st.integers(0, 2**32 - 1))
        count = max(1, round(seconds * FRAMES_PER_S))
        frames.extend(np.random.default_rng(noise).uniform(low, high, count))
        speaks = not speaks
    short_by = draw(st.integers(0, FRAME_SAMPLES - 1))  # the last frame is padded
    return np.array(frames, np.float32), len(frames) * FRAME_SAMPLES - short_by


@given(chunks())
def test_windows_hold_all_speech_once_in_order_and_are_never_too_long(
    chunk: tuple[Probabilities, int],
) -> None:
    probabilities, length = chunk
    spans = speech_spans(probabilities)
    windows = windows_from_spans(spans, probabilities, length=length)
    for window in windows:
        assert 0 <= window.start < window.speech_end <= window.end <= length
        assert window.end - window.start <= MAX_WINDOW
    for one, following in pairwise(windows):
        assert one.end <= following.start
    for span in spans:
        end = min(span.end, length)
        held = sum(max(0, min(end, one.end) - max(span.start, one.start)) for one in windows)
        assert held == end - span.start


@given(chunks())
def test_long_speech_is_cut_in_its_last_ten_seconds(chunk: tuple[Probabilities, int]) -> None:
    probabilities, _ = chunk
    for span in speech_spans(probabilities):
        *cut, last = split_long(span, probabilities)
        assert all(
            MAX_WINDOW - LOWEST_POINT_RANGE - 2 * LEAD_IN - FRAME_SAMPLES
            <= piece.end - piece.start
            <= MAX_WINDOW
            for piece in cut
        )
        assert last.end == span.end
        assert [one.end for one in cut] == [one.start for one in [*cut, last][1:]]


def test_long_speech_is_cut_where_it_pauses() -> None:
    probabilities = EVEN.copy()
    pause = frame(25) // FRAME_SAMPLES
    probabilities[pause] = 0.4
    first, second = split_long(Span(0, frame(40)), probabilities)
    assert first.end == second.start == pause * FRAME_SAMPLES


def test_speech_of_just_one_window_is_heard_to_its_end() -> None:
    """The margins must not push the last word out of the window."""
    windows = windows_of((1, 30.9))
    assert windows[0].start <= frame(1)
    assert windows[-1].end >= frame(30.9)


def test_spans_that_follow_closely_share_a_window_with_the_silence_between() -> None:
    (window,) = windows_of((2, 3), (5, 8), (12, 14))
    assert (window.start, window.end) == (frame(2) - LEAD_IN, frame(14) + LEAD_IN)
    assert window.speech_end == frame(14)


def test_speech_that_soon_begins_is_heard_from_the_start() -> None:
    (window,) = windows_of((0.9, 3))
    assert (window.start, window.end) == (0, frame(3) + LEAD_IN)


def test_a_long_silence_separates_windows() -> None:
    gap_s = MAX_GAP / SAMPLE_RATE + 0.1
    assert len(windows_of((1, 3), (3 + gap_s, 8 + gap_s))) == 2


def test_what_does_not_fit_begins_the_next_window() -> None:
    first, second = windows_of((0, 20), (21, 35))
    assert (first.speech_end, second.speech_end) == (frame(20), frame(35))


def test_windows_that_meet_share_the_pause_between_them() -> None:
    first, second = windows_of((0, 20), (20.2, 35))
    assert first.end == second.start == (frame(20) + frame(20.2)) // 2


def test_no_speech_gives_no_window() -> None:
    assert windows_of() == []


@given(chunks())
def test_without_the_filter_windows_cover_everything_and_keep_those_of_speech(
    chunk: tuple[Probabilities, int],
) -> None:
    probabilities, length = chunk
    windows = windows_from_spans(speech_spans(probabilities), probabilities, length=length)
    everything = with_all_between(windows, length=length, quietest=middle)
    assert [one.start for one in everything] == [0, *(one.end for one in everything[:-1])]
    assert everything[-1].end == length
    assert all(0 < one.end - one.start <= MAX_WINDOW for one in everything)
    speech = {(one.start, one.speech_end) for one in everything if one.speech_end > one.start}
    assert speech == {(one.start, one.speech_end) for one in windows}


def test_the_last_window_of_a_chunk_is_left_to_the_next_one() -> None:
    windows = windows_of((2, 20), (30, 50), (52, 59.9), length_s=60)
    kept, end = closed(windows, length=60 * SAMPLE_RATE, quietest=middle)
    assert kept == windows[:-1]
    assert end == windows[-1].start


def test_a_chunk_may_end_in_a_long_silence() -> None:
    windows = windows_of((2, 20), (30, 50), length_s=60)
    end = 59 * SAMPLE_RATE
    assert closed(windows, length=60 * SAMPLE_RATE, quietest=middle) == (windows, end)
    assert closed([], length=60 * SAMPLE_RATE, quietest=middle) == ([], end)


def test_a_window_that_fills_the_chunk_is_cut() -> None:
    windows = windows_of((1, 29.9), length_s=30)
    ((only,), end) = closed(windows, length=30 * SAMPLE_RATE, quietest=middle)
    assert (only.end, only.speech_end, end) == (end, end, 22.5 * SAMPLE_RATE)


@given(chunks())
def test_the_end_of_a_chunk_lies_behind_its_windows_and_before_those_that_follow(
    chunk: tuple[Probabilities, int],
) -> None:
    probabilities, length = chunk
    assume(length >= 30 * SAMPLE_RATE)  # a chunk that another follows is never shorter
    windows = windows_from_spans(speech_spans(probabilities), probabilities, length=length)
    kept, end = closed(windows, length=length, quietest=middle)
    assert length // 2 <= end < length
    assert all(one.end <= end for one in kept)
    assert all(one.start >= end for one in windows[len(kept) :])


@pytest.mark.parametrize(("length_s", "lengths_s"), [(0, []), (30, [30]), (70.5, [25, 25, 20.5])])
def test_silence_is_cut_where_it_is_quietest(length_s: float, lengths_s: list[float]) -> None:
    everything = with_all_between([], length=round(length_s * SAMPLE_RATE), quietest=middle)
    assert [(one.end - one.start) / SAMPLE_RATE for one in everything] == lengths_s
    assert all(one.speech_end == one.start for one in everything)


def test_a_moment_of_silence_belongs_to_the_speech_before_it() -> None:
    windows = windows_of((2, 20), (21, 35), length_s=36)
    everything = with_all_between(windows, length=36 * SAMPLE_RATE, quietest=middle)
    assert [one.speech_end for one in everything] == [0, frame(20), frame(35)]


@given(chunks(), st.integers(1, 30))
def test_spans_share_a_window_only_up_to_the_limit(
    chunk: tuple[Probabilities, int], limit_s: int
) -> None:
    probabilities, length = chunk
    spans = speech_spans(probabilities)
    limit = limit_s * SAMPLE_RATE
    for window in windows_from_spans(spans, probabilities, length=length, limit=limit):
        inside = [one for one in spans if window.start <= one.start and one.end <= window.end]
        if len(inside) > 1:
            assert inside[-1].end - inside[0].start <= limit
