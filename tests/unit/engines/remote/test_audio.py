"""What is cut and sent of prepared audio."""

from __future__ import annotations

import io
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.recordings import silence, tone, write_pcm
from voice_transcriber.engines.remote.audio import (
    even_pieces,
    open_wav,
    quiet_point,
    sounding_part,
)
from voice_transcriber.job import SAMPLE_RATE


@pytest.fixture
def pcm(tmp_path: Path) -> Path:
    """Sound from 2.5 s to 50 s, with a pause at 20 s."""
    parts = [silence(2.5), tone(17), silence(1), tone(29.5), silence(4)]
    return write_pcm(tmp_path / "audio.pcm", np.concatenate(parts))


def seconds(sample: int) -> float:
    return sample / SAMPLE_RATE


def test_a_stretch_is_read_as_a_wav_file(pcm: Path) -> None:
    read: list[int] = []
    with open_wav(pcm, 1000, 41_000, on_read=read.append) as file:
        content = file.read()
    with wave.open(io.BytesIO(content)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16_000, 1, 2)
        assert sound.readframes(sound.getnframes()) == pcm.read_bytes()[2000:82_000]
    assert sum(read) == len(content) == 80_044


def test_its_length_is_known_before_it_is_read_and_it_can_be_read_again(pcm: Path) -> None:
    with open_wav(pcm, 0, 40_000) as file:
        assert file.seek(0, io.SEEK_END) == 80_044
        file.seek(0)
        first = [file.read(100), file.read()]
        file.seek(0)
        assert file.read() == b"".join(first)


def test_the_cut_is_in_the_pause(pcm: Path) -> None:
    cut = quiet_point(pcm, 10 * SAMPLE_RATE, 40 * SAMPLE_RATE)
    assert 19.5 <= seconds(cut) <= 20.5


def test_silent_seconds_at_the_ends_are_left_out(pcm: Path) -> None:
    part = sounding_part(pcm, 0, 54 * SAMPLE_RATE)
    assert part is not None
    assert (seconds(part[0]), seconds(part[1])) == (2, 50)
    assert sounding_part(pcm, 51 * SAMPLE_RATE, 54 * SAMPLE_RATE) is None


@pytest.mark.parametrize("limit_s", [54, 30, 20, 7])
def test_pieces_meet_and_none_is_too_long(pcm: Path, limit_s: int) -> None:
    pieces = list(even_pieces(pcm, 0, 54 * SAMPLE_RATE, limit=limit_s * SAMPLE_RATE))
    assert (pieces[0][0], pieces[-1][1]) == (0, 54 * SAMPLE_RATE)
    assert all(one[1] == two[0] for one, two in pairwise(pieces))
    lengths_s = [seconds(end - start) for start, end in pieces]
    assert max(lengths_s) <= limit_s
    assert min(lengths_s) >= limit_s / 3  # no rest that is too short to be understood
