"""What is missing of a job that went on to its end, as the error with which it fails."""

from __future__ import annotations

from voice_transcriber.errors import PartsFailed, PoisonWindow, TranscriberError
from voice_transcriber.job import SAMPLE_RATE, Chunk
from voice_transcriber.jobs.ledger import Ledger

MAX_WINDOW_CRASHES = 3


def loss(ledger: Ledger, *, crash_cause: str) -> TranscriberError | None:
    """None when nothing is missing; `crash_cause` is that of the engine's last death."""
    crashed = _crashes(ledger, crash_cause)
    if given_up := ledger.given_up:
        places = "; ".join(map(_place, given_up))
        return PartsFailed(f"There is no text of some parts of the recording: {places}.{crashed}")
    return PoisonWindow(crashed.strip()) if crashed else None


def _crashes(ledger: Ledger, cause: str) -> str:
    places = ", ".join(
        f"{window.start_sample / SAMPLE_RATE:.0f} s"
        for window in ledger.failed_windows
        if window.crashes >= MAX_WINDOW_CRASHES
    )
    if not places:
        return ""
    return f" The speech engine ended three times at each of these places: {places} ({cause})."


def _place(chunk: Chunk) -> str:
    start_s, end_s = chunk.start_sample / SAMPLE_RATE, chunk.end_sample / SAMPLE_RATE
    reason = (chunk.error or "").rstrip(".")
    return f"in {start_s:.0f} to {end_s:.0f} s ({reason})"
