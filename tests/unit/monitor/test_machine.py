"""The real psutil on real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.running import until
from voice_transcriber.monitor.machine import MachineMeter
from voice_transcriber.monitor.sample import DECODERS, ENGINE, ROLES, WEB, MachineUse


@pytest.fixture
def others() -> int:
    """Children that other tests have left running, such as a browser."""
    return len(psutil.Process().children())


@pytest.fixture
def busy_child(others: int) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as child:
        yield child
        child.kill()


def no_engine() -> None:
    return None


def test_the_machine_is_described_within_its_bounds() -> None:
    use = MachineMeter(no_engine).read()
    assert (use.cores, use.memory_total_bytes) == (os.cpu_count(), psutil.virtual_memory().total)
    assert 0 < use.memory_used_bytes < use.memory_total_bytes
    assert 0 <= use.cpu_percent <= 100
    assert set(use.processes) == set(ROLES)


def test_this_process_is_the_web_process() -> None:
    use = MachineMeter(no_engine).read().processes[WEB]
    assert use.count == 1
    assert use.memory_bytes > 1_000_000


def test_a_working_child_shows_in_its_role(
    busy_child: subprocess.Popen[bytes], others: int
) -> None:
    meter = MachineMeter(lambda: busy_child.pid)
    seen: list[MachineUse] = []

    def works() -> bool:
        seen.append(meter.read())
        return seen[-1].processes[ENGINE].cpu_percent > 1

    until(works)
    use = seen[-1]
    assert use.processes[ENGINE].count == 1
    assert use.processes[DECODERS].count == others
    assert use.cpu_percent > 0


def test_a_child_that_is_not_the_engine_decodes(
    busy_child: subprocess.Popen[bytes], others: int
) -> None:
    use = MachineMeter(no_engine).read()
    assert use.processes[DECODERS].count == others + 1
    assert use.processes[DECODERS].memory_bytes > 0


def test_what_a_child_took_before_the_meter_began_is_not_counted(
    busy_child: subprocess.Popen[bytes],
) -> None:
    child = psutil.Process(busy_child.pid)
    until(lambda: child.cpu_times().user > 0.2)
    child.suspend()
    assert MachineMeter(no_engine).read().processes[DECODERS].cpu_percent == 0


def test_a_child_that_has_ended_is_gone(busy_child: subprocess.Popen[bytes]) -> None:
    meter = MachineMeter(lambda: busy_child.pid)
    busy_child.kill()
    busy_child.wait()
    use = meter.read().processes[ENGINE]
    assert (use.count, use.cpu_percent, use.memory_bytes) == (0, 0, 0)
