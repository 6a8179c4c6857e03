"""The pause before the next try."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from voice_transcriber.engines.remote.backoff import backoff_s, retry_after_s


def test_the_longest_pause_doubles_up_to_a_limit() -> None:
    ceilings = [backoff_s(n, first_s=1, longest_s=5, chance=lambda: 1.0) for n in range(1, 6)]
    assert ceilings == [1, 2, 4, 5, 5]


def test_any_pause_below_it_may_be_taken() -> None:
    assert backoff_s(3, first_s=1, longest_s=30, chance=lambda: 0.0) == 0
    pauses = {backoff_s(3, first_s=1, longest_s=30) for _ in range(20)}
    assert len(pauses) > 1
    assert max(pauses) <= 4


@pytest.mark.parametrize(
    ("header", "expected_s"),
    [
        (None, None),
        ("7", 7),
        (" 0 ", 0),
        (formatdate(1_000_090, usegmt=True), 90),
        (formatdate(999_000, usegmt=True), 0),  # past
        ("soon", None),
        ("-5", None),
        ("1.5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, expected_s: float | None) -> None:
    assert retry_after_s(header, now=lambda: 1_000_000.0) == expected_s
