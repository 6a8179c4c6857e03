"""A damaged database costs no transcript, no accepted job and no recording."""

from __future__ import annotations

import pytest

from tests.faults.damage import (
    DAMAGES,
    Damage,
    Expected,
    attempt,
    overwrite_pages,
    prepare,
    run,
)

PAGES = 30


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Expected:
    return prepare(tmp_path_factory.mktemp("killed"))


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_nothing_is_lost(
    expected: Expected, damage: Damage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged") / "round"
    row = attempt(expected, damage, seed=1, folder=folder)
    assert row.is_good, row


@pytest.mark.slow
def test_pages_that_are_overwritten_at_random_lose_nothing() -> None:
    rows = run(PAGES, damages=[overwrite_pages])
    assert [row for row in rows if not row.is_good] == []
