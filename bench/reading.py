"""What a program made of a recording. Alone in its module: those who are measured import it too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reading:
    text: str
    starts_s: Sequence[float] = ()
    language: str | None = None
    wall_s: float = 0.0
    first_words_s: Sequence[float] = ()  # starts of the segments' first words, where asked for
    last_words_s: Sequence[float] = ()  # ends of their last words
    languages: Sequence[str | None] = ()  # of the segments, where there are several
