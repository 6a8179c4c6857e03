"""The tables of the reliability report name tests that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.rows import PITFALLS, SECURITY

TESTS = Path(__file__).resolve().parents[1]
NAMED = sorted({name for row in [*SECURITY.values(), *PITFALLS.values()] for name in row.tests})


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_the_report_names_exists(name: str) -> None:
    path, _, function = name.partition("::")
    assert f"def {function}" in (TESTS / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*SECURITY, *PITFALLS])
def test_a_row_has_a_test_or_says_why_not(name: str) -> None:
    row = {**SECURITY, **PITFALLS}[name]
    assert row.tests or row.note


def test_no_control_is_left_out() -> None:
    assert list(SECURITY) == [f"S{number}" for number in range(1, 36)]
