"""The quiet point to cut at, and how much a quiet recording is raised."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings import AUDIO, Samples, poison, samples_of, silence, tone
from voice_transcriber.audio.level import (
    MAX_GAIN,
    QUIET_S,
    TARGET_RMS,
    leveling_gain,
    quietest_point,
)
from voice_transcriber.job import SAMPLE_RATE


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples**2)))


@pytest.mark.parametrize("at_s", [1.0, 12.3, 28.0])
def test_the_cut_lies_in_the_pause(at_s: float) -> None:
    samples = np.concatenate([tone(at_s), silence(0.5), tone(30 - at_s)])
    assert at_s * SAMPLE_RATE < quietest_point(samples) < (at_s + 0.5) * SAMPLE_RATE


def test_of_two_pauses_the_quieter_one_is_taken() -> None:
    samples = np.concatenate([tone(5), tone(1, level=0.01), tone(5), silence(1), tone(5)])
    assert 11 * SAMPLE_RATE < quietest_point(samples) < 12 * SAMPLE_RATE


def test_a_pause_shorter_than_a_breath_does_not_draw_the_cut() -> None:
    samples = np.concatenate([tone(5), silence(0.05), tone(5), tone(1, level=0.05), tone(5)])
    assert 10 * SAMPLE_RATE < quietest_point(samples) < 11 * SAMPLE_RATE


@given(st.floats(0.01, 3))
def test_the_cut_lies_within_what_was_looked_at(seconds: float) -> None:
    samples = tone(seconds)
    assert 0 <= quietest_point(samples) <= len(samples)


def test_a_stretch_too_short_for_a_pause_is_cut_in_the_middle() -> None:
    samples = tone(QUIET_S / 2)
    assert quietest_point(samples) == len(samples) // 2


def test_a_recording_of_normal_level_is_left_alone() -> None:
    for name in ("en_30s.flac", "jfk.flac", "noisy_1min.flac"):
        assert leveling_gain(samples_of(AUDIO / name)) == 1.0


def test_pauses_do_not_make_a_recording_quiet() -> None:
    assert leveling_gain(np.concatenate([tone(30), silence(120)])) == 1.0


def test_a_quiet_recording_is_raised_to_the_normal_level() -> None:
    quiet = tone(60, level=0.01)
    gain = leveling_gain(quiet)
    assert rms(quiet * gain) == pytest.approx(TARGET_RMS, rel=0.02)


def test_a_very_quiet_recording_is_raised_as_far_as_is_allowed() -> None:
    assert leveling_gain(tone(60, level=0.0005)) == MAX_GAIN


def test_silence_is_not_raised() -> None:
    assert leveling_gain(silence(60)) == 1.0


def test_one_loud_moment_bounds_the_gain() -> None:
    """Wherever it is: what is measured are a few seconds of the whole."""
    for at_s in (0.0, 7.7, 61.3, 119.0):
        samples = np.concatenate([tone(at_s, level=0.01), tone(0.05, level=0.5)])
        samples = np.concatenate([samples, tone(120 - at_s, level=0.01)])
        assert float(np.abs(samples * leveling_gain(samples)).max()) <= 1.0


def test_full_scale_is_not_raised() -> None:
    assert leveling_gain(np.concatenate([tone(20, level=0.005), poison()])) == 1.0


@given(st.floats(1e-6, 1.0), st.floats(0.1, 20), st.floats(0.0, 1.0))
def test_a_gain_never_clips_and_never_lowers(level: float, length_s: float, peak: float) -> None:
    samples = np.concatenate([tone(length_s, level=level), np.full(8, peak, np.float32)])
    gain = leveling_gain(samples)
    assert 1.0 <= gain <= MAX_GAIN
    assert gain == 1.0 or float(np.abs(samples * gain).max()) <= 1.0
