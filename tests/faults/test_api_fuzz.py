"""The API under requests made from its own document; `make faults` sends 10,000."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import api_fuzz

EXAMPLES = 300

pytestmark = pytest.mark.slow


def test_no_request_brings_a_fault_or_an_answer_that_is_not_in_the_document(
    tmp_path: Path, short_recordings: list[Path]
) -> None:
    found = api_fuzz.run(tmp_path, examples=EXAMPLES, recordings=short_recordings[:2], seed=1)
    assert found["violations"] == []
    assert found["alive"]
    assert found["stop_status"] == 0
    assert found["requests"] >= EXAMPLES
