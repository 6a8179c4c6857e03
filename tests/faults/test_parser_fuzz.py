"""Our own parsers under atheris; `make faults` gives each 200,000 inputs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.faults import parser_fuzz

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="atheris is built for Linux"),
]

RUNS = 2_000


def test_only_their_own_errors_come_out_of_the_parsers(tmp_path: Path) -> None:
    found = parser_fuzz.run(tmp_path, runs=RUNS, seed=1)
    assert found["violations"] == []
    assert min(found["inputs"].values()) >= RUNS
