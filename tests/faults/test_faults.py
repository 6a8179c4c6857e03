"""The short form of the fault programs but kills; `make faults` runs them at full length.

Every run ends with the checker (checker.py): its list of broken promises must be empty.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import (
    clocks,
    crashes,
    crowds,
    disk,
    full_disks,
    memory_limits,
    power_cuts,
    stops,
)
from tests.faults.disk import Disk
from tests.faults.sounds import Texts
from voice_transcriber.kill_points import POINTS

SEED = 1

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="sends signals"),
]
needs_mounts = pytest.mark.skipif(disk.why_not() is not None, reason=str(disk.why_not()))


def test_crashes_of_the_engine_are_seen_by_no_visitor(
    tmp_path: Path, recordings: list[Path], texts: Texts
) -> None:
    found = crashes.run(
        tmp_path,
        crashes=6,
        in_flight=4,
        life_s=1.0,
        recordings=recordings,
        texts=texts,
        seed=SEED,
    )
    assert found["violations"] == []
    assert found["failed_requests"] == []
    assert found["crashes"] == 6
    assert found["engine_starts"] > 6


def test_stops_at_random_times_lose_nothing(
    tmp_path: Path, recordings: list[Path], texts: Texts
) -> None:
    found = stops.run(
        tmp_path, stops=4, in_flight=4, life_s=1.0, recordings=recordings, texts=texts, seed=SEED
    )
    assert found["violations"] == []
    assert found["wrong_statuses"] == []


@needs_mounts
def test_a_picture_of_the_disk_holds_what_was_flushed_and_nothing_else(tmp_path: Path) -> None:
    """What the test of power cuts rests on."""
    cut = Disk(tmp_path, size_bytes=64 * disk.MEGABYTE)
    cut.mount()
    try:
        flushed, kept_in_memory = cut.root / "flushed", cut.root / "in-memory"
        with flushed.open("wb") as file:
            file.write(b"x" * 1000)
            file.flush()
            os.fsync(file.fileno())
        kept_in_memory.write_bytes(b"y" * 1000)
        cut.becomes(cut.photograph())
        assert flushed.read_bytes() == b"x" * 1000
        assert not kept_in_memory.exists() or kept_in_memory.stat().st_size == 0
    finally:
        cut.unmount()


@needs_mounts
def test_power_cuts_lose_no_acknowledged_job(
    tmp_path: Path, recordings: list[Path], texts: Texts
) -> None:
    found = power_cuts.run(
        tmp_path, cuts=4, life_s=1.5, in_flight=4, recordings=recordings, texts=texts, seed=SEED
    )
    assert found["violations"] == []
    assert found["empty_files"] == []


@needs_mounts
def test_a_disk_without_room_refuses_and_recovers(
    tmp_path: Path, recordings: list[Path], texts: Texts
) -> None:
    found = full_disks.run(tmp_path, rounds=1, recordings=recordings, texts=texts, seed=SEED)
    assert found["violations"] == []
    assert found["leftovers"] == []
    assert found["alive"]
    assert found["refused"] >= 1


@pytest.mark.skipif(memory_limits.why_not() is not None, reason=str(memory_limits.why_not()))
def test_the_engine_goes_when_memory_ends_and_nobody_else(
    tmp_path: Path, recordings: list[Path], texts: Texts
) -> None:
    found = memory_limits.run(tmp_path, rounds=1, recordings=recordings, texts=texts)
    assert found["violations"] == []
    assert found["failed_requests"] == []
    assert found["web_alive"]


def test_a_clock_that_jumps_a_day_back_and_forth_harms_nothing(
    tmp_path: Path, recordings: list[Path], texts: Texts
) -> None:
    library = clocks.library()
    if library is None:
        assert os.environ.get("CI") != "true", "the gate installs libfaketime"
        pytest.skip("libfaketime is not installed")
    found = clocks.run(
        tmp_path,
        jumps_s=(clocks.DAY_S, -clocks.DAY_S),
        recordings=recordings[:3],
        texts=texts,
        faketime=library,
    )
    assert found["violations"] == []


def test_a_full_queue_says_so_and_every_job_in_it_is_done(
    tmp_path: Path, short_recordings: list[Path], short_texts: Texts
) -> None:
    found = crowds.queue(tmp_path, cap=20, recordings=short_recordings, texts=short_texts)
    assert found["violations"] == []
    assert found["refused"]["code"] == "queue_full"
    assert int(found["refused"]["retry_after"]) > 0
    assert found["accepted"] >= 20


def test_a_crowd_of_pollers_gets_its_answers(
    tmp_path: Path, recordings: list[Path], texts: Texts
) -> None:
    found = crowds.pollers(
        tmp_path, clients=200, seconds=6, every_s=1, recordings=recordings[:3], texts=texts
    )
    assert found["violations"] == []
    assert found["errors"] == {}
    assert found["requests"] > 200


def test_the_list_of_parts_is_complete() -> None:
    """`python -m tests.faults --list` names them all without running any."""
    shown = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--list"],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for point in POINTS:
        assert f"kill-{point} " in shown
