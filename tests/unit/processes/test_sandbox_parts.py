"""What the kernel says that it has is tried, and told as it is."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from voice_transcriber.errors import ConfigurationError
from voice_transcriber.processes import sandbox, sandbox_trial
from voice_transcriber.processes.sandbox_trial import LANDLOCK, SECCOMP


@pytest.fixture(autouse=True)
def untried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sandbox, "_offered", lambda: frozenset({LANDLOCK, SECCOMP}))
    sandbox.protections.cache_clear()
    yield
    sandbox.protections.cache_clear()


@pytest.mark.parametrize("refused", [LANDLOCK, SECCOMP])
def test_a_part_that_the_kernel_has_and_refuses_stops_the_start(
    refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = frozenset({LANDLOCK, SECCOMP} - {refused})
    monkeypatch.setattr(sandbox_trial, "installed", lambda: installed)
    assert refused not in sandbox.describe().split(", ")
    with pytest.raises(ConfigurationError, match=f"the kernel has {refused} and refuses") as caught:
        sandbox.log_protections()
    assert "security profile" in (caught.value.remedy or "")


def test_a_trial_that_cannot_run_says_nothing_about_the_kernel(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> frozenset[str]:
        raise BlockingIOError("no process left")

    monkeypatch.setattr(sandbox_trial, "installed", fail)
    caplog.set_level(logging.INFO)
    sandbox.log_protections()
    assert "could not be tried: no process left" in caplog.text
