"""How long a job waits for its next try."""

from __future__ import annotations

import pytest

from voice_transcriber.errors import (
    DecoderCrashed,
    DiskFull,
    EngineCrashed,
    EngineOutOfMemory,
    TranscriberError,
)
from voice_transcriber.jobs.backoff import RETRY_DELAYS_S, job_delay_s, may_retry
from voice_transcriber.store.base import LONGEST_DELAY_S


@pytest.mark.parametrize("error", [EngineCrashed(), DecoderCrashed()])
def test_the_first_death_of_a_child_is_met_at_once(error: TranscriberError) -> None:
    assert job_delay_s(1, error) == 0
    assert 8 <= job_delay_s(2, error) <= 12
    assert 48 <= job_delay_s(3, error) <= 72


@pytest.mark.parametrize("error", [EngineOutOfMemory(), DiskFull()])
def test_what_lasts_a_while_is_given_a_while(error: TranscriberError) -> None:
    assert 8 <= job_delay_s(1, error) <= 12
    assert 240 <= job_delay_s(3, error) <= 360


def test_no_delay_is_taken_for_that_of_a_clock_that_was_wrong() -> None:
    assert 1.2 * max(RETRY_DELAYS_S) < LONGEST_DELAY_S


def test_the_fourth_failure_is_the_last() -> None:
    assert may_retry(3)
    assert not may_retry(4)
