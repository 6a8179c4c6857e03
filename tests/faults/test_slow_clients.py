"""The short form: slow clients take nothing away from the others."""

from __future__ import annotations

from pathlib import Path

from tests.faults.slow_clients import slow_clients, violations


def test_slow_clients_hold_nobody_up(tmp_path: Path) -> None:
    row = slow_clients(tmp_path, seconds=6)
    assert violations(row) == []
    assert row["request_s"]["count"] > 20
