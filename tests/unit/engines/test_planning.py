"""The plan of a file does not depend on the length of its chunks."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recordings import silence, tone, write_pcm
from voice_transcriber.engines.base import Samples
from voice_transcriber.engines.fake import LevelDetector
from voice_transcriber.engines.planning import plan_chunk
from voice_transcriber.engines.protocol import PlanRequest
from voice_transcriber.job import SAMPLE_RATE

WHOLE_S = 100_000
Windows = list[tuple[int, int, int]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planning")


def planned(pcm: Path, length: int, *, chunk_s: int, vad_filter: bool = True) -> Windows:
    """The windows of all chunks, one after the other."""
    windows: Windows = []
    start = 0
    while start < length:
        limit = min(start + chunk_s * SAMPLE_RATE, length)
        request = PlanRequest(
            pcm=str(pcm),
            start=start,
            limit=limit,
            is_last=limit == length,
            vad_filter=vad_filter,
            level=False,
        )
        reply = plan_chunk(request, LevelDetector())
        assert start < reply.end <= limit
        windows += reply.windows
        start = reply.end
    return windows


def sound(parts: list[tuple[float, float]]) -> Samples:
    """Speech of so many seconds, each followed by a silence."""
    return np.concatenate([part for said, quiet in parts for part in (tone(said), silence(quiet))])


@settings(max_examples=25, deadline=None)
@given(
    parts=st.lists(st.tuples(st.floats(0.5, 12), st.floats(0.7, 9)), min_size=1, max_size=25),
    chunk_s=st.integers(60, 200),
)
def test_shorter_chunks_have_the_windows_of_the_whole(
    folder: Path, parts: list[tuple[float, float]], chunk_s: int
) -> None:
    samples = sound(parts)
    pcm = write_pcm(folder / "sound.pcm", samples)
    whole = planned(pcm, len(samples), chunk_s=WHOLE_S)
    assert planned(pcm, len(samples), chunk_s=chunk_s) == whole


@settings(max_examples=15, deadline=None)
@given(
    parts=st.lists(st.tuples(st.floats(0.5, 70), st.floats(0.1, 40)), min_size=1, max_size=8),
    chunk_s=st.integers(30, 200),
    vad_filter=st.booleans(),
)
def test_no_sound_is_lost_or_heard_twice(
    folder: Path, parts: list[tuple[float, float]], chunk_s: int, vad_filter: bool
) -> None:
    samples = sound(parts)
    pcm = write_pcm(folder / "sound.pcm", samples)
    windows = planned(pcm, len(samples), chunk_s=chunk_s, vad_filter=vad_filter)
    assert all(0 < end - start <= 30 * SAMPLE_RATE for start, end, _ in windows)
    assert all(one[1] <= following[0] for one, following in pairwise(windows))
    heard = np.zeros(len(samples), bool)
    for start, end, _ in windows:
        heard[start:end] = True
    missed = ~heard if not vad_filter else ~heard & (np.abs(samples) > 0.05)
    assert missed.sum() == 0
