"""Bytes in a second, of the last few seconds."""

from __future__ import annotations

from tests.contract.makers import Clock
from voice_transcriber.engines.download import Rate


def test_it_counts_from_the_start() -> None:
    clock = Clock()
    rate = Rate(clock)
    clock.now += 2
    assert rate.per_s(1000) == 500


def test_bytes_of_an_earlier_try_are_no_speed() -> None:
    clock = Clock()
    rate = Rate(clock)
    rate.restart(10_000)
    clock.now += 2
    assert rate.per_s(11_000) == 500


def test_a_silent_network_is_seen_soon() -> None:
    clock = Clock()
    rate = Rate(clock)
    done_bytes = 0
    for _ in range(20):
        clock.now += 1
        done_bytes += 100
        assert rate.per_s(done_bytes) == 100
    for _ in range(8):
        clock.now += 1
        slowed = rate.per_s(done_bytes)
    assert slowed == 0


def test_no_time_is_no_speed() -> None:
    assert Rate(Clock()).per_s(1000) == 0
