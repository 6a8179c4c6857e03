"""How long to wait before an engine error is met with another try."""

from __future__ import annotations

import random

RETRY_DELAYS_S = (10.0, 60.0, 300.0)


def may_retry(failures: int) -> bool:
    """Whether there is another try after so many failures."""
    return failures <= len(RETRY_DELAYS_S)


def delay_s(failures: int) -> float:
    """Before the try that follows so many failures, from 1; not the same for all that wait."""
    return RETRY_DELAYS_S[failures - 1] * random.uniform(0.8, 1.2)
