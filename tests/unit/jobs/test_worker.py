"""What a job that waits for the disk says of it."""

from __future__ import annotations

import pytest

from voice_transcriber.errors import DiskFull, StorageRefuses
from voice_transcriber.jobs.worker import why_it_waits


@pytest.mark.parametrize("error", [DiskFull(), StorageRefuses()])
def test_an_accepted_job_does_not_say_that_nothing_was_accepted(
    error: DiskFull | StorageRefuses,
) -> None:
    assert why_it_waits(error).startswith("Waits for ")
    assert "accepted" not in why_it_waits(error)


def test_a_reason_of_its_own_is_kept() -> None:
    assert (
        why_it_waits(DiskFull("At least 445 MB must be free.")) == "At least 445 MB must be free."
    )
