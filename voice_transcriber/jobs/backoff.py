"""How long to wait before an error of the machine is met with another try."""

from __future__ import annotations

import random

from voice_transcriber.errors import DecoderCrashed, EngineCrashed, TranscriberError

RETRY_DELAYS_S = (10.0, 60.0, 300.0)

_CHILD_DEATHS = (EngineCrashed, DecoderCrashed)  # another child is there at once


def may_retry(failures: int) -> bool:
    """Whether there is another try after so many failures."""
    return failures <= len(RETRY_DELAYS_S)


def delay_s(failures: int) -> float:
    """Before the try that follows so many failures, from 1; not the same for all that wait."""
    return RETRY_DELAYS_S[failures - 1] * random.uniform(0.8, 1.2)


def job_delay_s(failures: int, error: TranscriberError) -> float:
    """As delay_s, but a job whose engine or decoder died goes on at once the first time."""
    if not isinstance(error, _CHILD_DEATHS):
        return delay_s(failures)
    return delay_s(failures - 1) if failures > 1 else 0.0
