"""The plan of a chunk for a server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.recordings import silence, tone, write_pcm
from voice_transcriber.engines.protocol import PlanRequest
from voice_transcriber.engines.remote.planning import LANGUAGE_PIECE, plan_chunk
from voice_transcriber.job import MAX_WINDOW, SAMPLE_RATE


@pytest.fixture
def request_of(tmp_path: Path) -> PlanRequest:
    """100 s: a silent second, sound with a pause at 70 s, ten silent seconds."""
    parts = [silence(1), tone(68.5), silence(1), tone(19.5), silence(10)]
    pcm = write_pcm(tmp_path / "audio.pcm", np.concatenate(parts))
    return PlanRequest(
        pcm=str(pcm),
        start=0,
        limit=100 * SAMPLE_RATE,
        is_last=True,
        vad_filter=True,
        level=True,
    )


def test_a_chunk_is_one_window_without_the_silence_around(request_of: PlanRequest) -> None:
    reply = plan_chunk(request_of, max_chunk=10**9, max_window=10**9)
    second = SAMPLE_RATE
    assert reply.windows == [(second, 90 * second, 90 * second)]
    assert (reply.end, reply.gain) == (100 * second, 1.0)


def test_with_vad_filter_off_everything_is_sent(request_of: PlanRequest) -> None:
    reply = plan_chunk(replace(request_of, vad_filter=False), max_chunk=10**9, max_window=10**9)
    assert reply.windows == [(0, 100 * SAMPLE_RATE, 100 * SAMPLE_RATE)]


def test_silence_is_not_sent_at_all(request_of: PlanRequest) -> None:
    silent = replace(request_of, start=91 * SAMPLE_RATE)
    assert plan_chunk(silent, max_chunk=10**9, max_window=10**9).windows == []


def test_what_is_larger_than_the_server_takes_is_cut_in_a_pause(request_of: PlanRequest) -> None:
    reply = plan_chunk(request_of, max_chunk=80 * SAMPLE_RATE, max_window=10**9)
    assert 69 <= reply.end / SAMPLE_RATE <= 71


def test_windows_are_as_short_as_the_server_needs_them(request_of: PlanRequest) -> None:
    reply = plan_chunk(request_of, max_chunk=10**9, max_window=MAX_WINDOW)
    assert len(reply.windows) == 3
    assert max(end - start for start, end, _ in reply.windows) <= MAX_WINDOW


def test_where_languages_change_the_pieces_are_short(request_of: PlanRequest) -> None:
    several = replace(request_of, by_language=True)
    reply = plan_chunk(several, max_chunk=10**9, max_window=10**9)
    assert max(end - start for start, end, _ in reply.windows) <= LANGUAGE_PIECE
