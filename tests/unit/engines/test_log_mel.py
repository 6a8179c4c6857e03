"""The spectrogram is whisper's, whatever the length of the window."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from whisper.audio import N_SAMPLES, log_mel_spectrogram, pad_or_trim

from tests.recordings import silence, tone
from voice_transcriber.engines.base import Samples
from voice_transcriber.engines.stopwatch import Stopwatch
from voice_transcriber.engines.whisper_text import log_mel

NOISE = np.random.default_rng(5).normal(0, 0.1, N_SAMPLES).astype(np.float32)


@pytest.mark.parametrize("bands", [80, 128])
@pytest.mark.parametrize("length", [0, 1, 100, 159, 16_000, 79_999, 300_001, 479_840, N_SAMPLES])
def test_it_is_that_of_the_window_filled_up_with_silence(length: int, bands: int) -> None:
    assert_is_whispers(NOISE[:length], bands)


def test_it_is_that_of_silence_and_of_a_tone() -> None:
    for samples in (silence(3), tone(12)):
        assert_is_whispers(samples, 80)


def assert_is_whispers(samples: Samples, bands: int) -> None:
    expected = log_mel_spectrogram(torch.from_numpy(pad_or_trim(samples, N_SAMPLES)), bands)
    torch.testing.assert_close(log_mel(samples, bands=bands), expected, atol=1e-5, rtol=0)


def test_its_time_is_told() -> None:
    watch = Stopwatch()
    with watch.stage("encode"):
        log_mel(NOISE, bands=80)
    assert watch.stages_s.keys() == {"encode", "features"}
