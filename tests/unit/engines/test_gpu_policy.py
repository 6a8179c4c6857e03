"""When the GPU is left, and when it is used again."""

from __future__ import annotations

import logging

import pytest

from tests.contract.makers import Clock
from voice_transcriber.engines.gpu_policy import (
    LONGEST_LOOK_S,
    LOOK_S,
    SETTLED_S,
    DeviceMemory,
    GpuPolicy,
    GpuState,
    GpuStatus,
)

FULL = "No room."


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


class Gpu(GpuPolicy):
    """1000 bytes, of which the test says how many are free; the clock stands until it is moved."""

    def __init__(self, *, threshold: float = 0.9) -> None:
        self.free = 1000
        self.clock = Clock()
        self.clock.now = 1000.0
        super().__init__(
            threshold=threshold,
            memory=lambda: DeviceMemory(free_bytes=self.free, total_bytes=1000),
            status=GpuStatus(state=GpuState.GPU, reason=None, since=0.0),
            clock=self.clock,
            wall_clock=self.clock,
        )

    def looks_after_s(self) -> float:
        """Seconds until it looks for the next time."""
        waited_s = 0.0
        while not self.is_time_to_look():
            self.clock.now += 1
            waited_s += 1
        return waited_s


@pytest.mark.parametrize(("free", "usable"), [(1000, 900), (500, 400), (100, 0), (30, 0)])
def test_a_tenth_is_left_to_nobody(free: int, usable: int) -> None:
    gpu = Gpu()
    gpu.free = free
    assert gpu.free_bytes() == usable


def test_all_of_it_may_be_used_where_that_is_set() -> None:
    gpu = Gpu(threshold=1.0)
    gpu.free = 100
    assert gpu.free_bytes() == 100


def test_the_shortage_is_told_in_figures() -> None:
    gpu = Gpu()
    gpu.free = 40
    assert gpu.shortage() == "96% of the GPU's memory is in use, and 90% is the most that may be."


def test_a_state_has_a_reason_and_a_beginning() -> None:
    gpu = Gpu()
    gpu.note(GpuState.CPU, FULL)
    assert gpu.status == GpuStatus(state=GpuState.CPU, reason=FULL, since=1000.0)


def test_another_reason_does_not_begin_the_state_anew() -> None:
    gpu = Gpu()
    gpu.note(GpuState.SMALL_BATCH, "Room for 3.")
    gpu.clock.now += 5
    gpu.note(GpuState.SMALL_BATCH, "Room for 2.")
    assert (gpu.status.reason, gpu.status.since) == ("Room for 2.", 1000.0)


def test_a_gpu_that_was_left_is_looked_at_from_time_to_time() -> None:
    gpu = Gpu()
    gpu.left()
    assert gpu.looks_after_s() == LOOK_S
    assert gpu.looks_after_s() == LOOK_S


def test_returns_that_do_not_last_become_rarer() -> None:
    gpu = Gpu()
    waits_s = []
    for _ in range(12):
        gpu.left()
        waits_s.append(gpu.looks_after_s())
        gpu.returned()
        gpu.clock.now += 1
    assert waits_s[:3] == [LOOK_S, 2 * LOOK_S, 4 * LOOK_S]
    assert waits_s[-1] == LONGEST_LOOK_S


def test_a_return_that_lasted_was_no_mistake() -> None:
    gpu = Gpu()
    for stayed_s in (1, 1, SETTLED_S + 1):
        gpu.left()
        gpu.looks_after_s()
        gpu.returned()
        gpu.clock.now += stayed_s
    gpu.left()
    assert gpu.looks_after_s() == LOOK_S


def test_more_models_that_are_loaded_on_the_cpu_do_not_delay_the_next_look() -> None:
    gpu = Gpu()
    gpu.left()
    gpu.clock.now += LOOK_S - 1
    for _ in range(5):
        gpu.left()
    assert gpu.looks_after_s() == 1
    assert gpu.looks_after_s() == LOOK_S
