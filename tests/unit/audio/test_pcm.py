"""Samples of a PCM file that may still grow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.recordings import pcm_bytes, tone, write_pcm
from voice_transcriber.audio.pcm import read_samples


@pytest.fixture
def pcm(tmp_path: Path) -> Path:
    path = tmp_path / "audio.pcm"
    path.write_bytes(np.array([0, 16384, -32768, 32767], "<i2").tobytes())
    return path


def test_samples_are_fractions_of_full_scale(pcm: Path) -> None:
    assert read_samples(pcm, 0, 4) == pytest.approx([0.0, 0.5, -1.0, 32767 / 32768])


def test_a_range_is_read(pcm: Path) -> None:
    assert read_samples(pcm, 1, 3) == pytest.approx([0.5, -1.0])


def test_gain_raises_and_stops_at_full_scale(pcm: Path) -> None:
    assert read_samples(pcm, 0, 4, gain=1.5) == pytest.approx([0.0, 0.75, -1.0, 1.0])


def test_a_file_that_grew_shows_its_new_samples(tmp_path: Path) -> None:
    path = write_pcm(tmp_path / "audio.pcm", tone(1))
    assert len(read_samples(path, 0, 32_000)) == 16_000
    with path.open("ab") as file:
        file.write(pcm_bytes(tone(1)))
    assert len(read_samples(path, 0, 32_000)) == 32_000


def test_what_was_read_can_be_changed_without_harm(pcm: Path) -> None:
    read_samples(pcm, 0, 4)[:] = 0
    assert read_samples(pcm, 1, 2)[0] == 0.5
