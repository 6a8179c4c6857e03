"""How often decoding a job's file crashed: counted beside the decode, for the next attempt.

A single death of the decoder says nothing about the file: somebody may have ended it, or
memory was short. One that comes again and again is the file's.
"""

from __future__ import annotations

from pathlib import Path

from voice_transcriber.errors import DecoderCrashed, TranscriberError
from voice_transcriber.files import write_durably

MAX_CRASHES = 3

_COUNT_NAME = "crashes"


def after_crash(folder: Path, crash: DecoderCrashed) -> TranscriberError:
    """Count the crash; its verdict on the file when it is the last one that is allowed."""
    if crash.verdict is None:
        return crash
    crashes = _count(folder) + 1
    if crashes >= MAX_CRASHES:
        return crash.verdict
    try:
        write_durably(folder / _COUNT_NAME, str(crashes).encode())
    except OSError:  # a disk that is full or failing: the next try meets it too
        return crash
    return crash


def _count(folder: Path) -> int:
    try:
        return int((folder / _COUNT_NAME).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
