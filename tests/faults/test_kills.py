"""The short form of the kills; `make faults` runs them at full length.

Every run ends with the checker (checker.py): its list of broken promises must be empty.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.faults import kills, named_kills, upgrade_kills
from tests.faults.kills import KillPlan
from tests.faults.sounds import Texts
from voice_transcriber.kill_points import POINTS

SEED = 1

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="sends signals"),
]


def test_no_acknowledged_job_is_lost_by_kills_at_random_times(
    tmp_path: Path, recordings: list[Path], texts: Texts
) -> None:
    plan = KillPlan(kills=10, in_flight=5, life_s=1.5, seed=SEED)
    found = kills.run(tmp_path, plan, recordings, texts)
    assert found["violations"] == []
    assert found["kills"] == 10


@pytest.mark.parametrize("point", named_kills.MOST_PASSES)
def test_a_kill_at_a_named_point_breaks_nothing(
    tmp_path: Path, short_recordings: list[Path], short_texts: Texts, point: str
) -> None:
    found = named_kills.run(
        tmp_path, point, kills=1, recordings=short_recordings, texts=short_texts, seed=SEED
    )
    assert found["violations"] == []
    assert (found["kills"], found["missed"]) == (1, 0)


@pytest.mark.parametrize("point", upgrade_kills.POINTS)
def test_a_kill_while_an_old_database_is_brought_up_to_date_breaks_nothing(
    tmp_path: Path, short_recordings: list[Path], short_texts: Texts, point: str
) -> None:
    found = upgrade_kills.run(
        tmp_path, point, kills=2, recordings=short_recordings, texts=short_texts, seed=SEED
    )
    assert found["violations"] == []
    assert (found["kills"], found["missed"]) == (2, 0)


def test_every_named_point_has_its_kill() -> None:
    assert set(POINTS) == {*named_kills.MOST_PASSES, *upgrade_kills.POINTS}
