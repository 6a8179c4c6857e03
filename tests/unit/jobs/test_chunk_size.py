"""How long chunks are: long enough to cost no words, short enough to go side by side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_transcriber.jobs.chunk_size import LEAST_HALVED_S, LEAST_S, ChunkSize, chosen

HOUR = 3600.0


@pytest.mark.parametrize(
    ("duration_s", "seconds"),
    [
        (5.0, LEAST_S),
        (300.0, LEAST_S),
        (720.0, 210.0),
        (2000.0, 530.0),
        (HOUR, 600.0),
        (24 * HOUR, 600.0),
        (None, 600.0),
    ],
)
def test_a_shorter_file_has_shorter_chunks(duration_s: float | None, seconds: float) -> None:
    assert chosen(largest_s=600.0, parallel=4, duration_s=duration_s).seconds == seconds


def test_without_neighbours_there_is_no_reason_for_short_chunks() -> None:
    assert chosen(largest_s=600.0, parallel=1, duration_s=300.0).seconds == 600.0


def test_a_person_may_ask_for_shorter_ones() -> None:
    assert chosen(largest_s=60.0, parallel=4, duration_s=HOUR) == ChunkSize(
        60.0, "AUDIO_CHUNK_SIZE"
    )


def test_a_server_takes_so_many_bytes() -> None:
    size = chosen(
        largest_s=600.0, parallel=4, duration_s=HOUR, max_bytes=3_200_000, bytes_per_s=32_000
    )
    assert (size.seconds, size.reason) == (100.0, "the server takes 3200000 bytes")


@given(
    largest_s=st.floats(30, 7200),
    parallel=st.integers(1, 16),
    duration_s=st.none() | st.floats(0, 90_000),
    max_bytes=st.none() | st.integers(1_000_000, 100_000_000),
)
def test_it_is_within_all_limits(
    largest_s: float, parallel: int, duration_s: float | None, max_bytes: int | None
) -> None:
    bitrate = 32_000
    size = chosen(
        largest_s=largest_s,
        parallel=parallel,
        duration_s=duration_s,
        max_bytes=max_bytes,
        bytes_per_s=bitrate,
    )
    assert 0 < size.seconds <= largest_s
    assert size.reason
    if max_bytes is None:
        assert size.seconds >= min(largest_s, LEAST_S)
    else:
        assert size.seconds * bitrate <= max_bytes * (1 + 1e-9)


@given(st.floats(30, 7200), st.integers(1, 12))
def test_halving_ends_at_one_window(seconds: float, times: int) -> None:
    size = ChunkSize(seconds, "at first")
    for _ in range(times):
        before, size = size, size.halved("no memory")
        assert size == before or (size.reason == "no memory" and size.seconds < before.seconds)
        assert size.seconds >= max(LEAST_HALVED_S, before.seconds / 2)
