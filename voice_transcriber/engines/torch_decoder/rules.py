"""Which tokens may follow what a beam has written. Source: whisper/decoding.py,
SuppressTokens and ApplyTimestampRules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from whisper.tokenizer import Tokenizer

FIRST_TIME_LIMIT = 50  # the first timestamp is 1.00 s at the latest


class Text(Enum):
    """Which tokens that are no timestamps are open."""

    ALL = "all"
    NO_WORDS = "no words"  # only the end and other marks
    NONE = "none"


@dataclass(frozen=True)
class Allowed:
    """Timestamps by their number: `first_time` to `last_time`; none when they cross."""

    text: Text
    first_time: int
    last_time: int


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Tokens below `timestamp_begin` are text and marks; `eot` is the first mark."""

    size: int
    eot: int
    no_speech: int
    timestamp_begin: int
    suppressed: Sequence[int]

    @classmethod
    def of(cls, tokenizer: Tokenizer, size: int) -> Vocabulary:
        suppressed = {
            *tokenizer.non_speech_tokens,
            tokenizer.transcribe,
            tokenizer.translate,
            tokenizer.sot,
            tokenizer.sot_prev,
            tokenizer.sot_lm,
            tokenizer.no_speech,
            tokenizer.no_timestamps,
        }
        return cls(
            size=size,
            eot=tokenizer.eot,
            no_speech=tokenizer.no_speech,
            timestamp_begin=tokenizer.timestamp_begin,
            suppressed=sorted(suppressed),
        )

    @property
    def times(self) -> int:
        return self.size - self.timestamp_begin

    def allowed_after(self, tokens: Sequence[int]) -> Allowed:
        """A time opens a segment and a time closes it; times do not go back."""
        last = self.times - 1
        if not tokens:
            return Allowed(Text.NONE, 0, min(FIRST_TIME_LIMIT, last))
        if not self._is_time(tokens[-1]):
            return Allowed(Text.ALL, self._last_time(tokens) + 1, last)
        if len(tokens) < 2 or self._is_time(tokens[-2]):
            return Allowed(Text.ALL, self.times, last)
        return Allowed(Text.NO_WORDS, tokens[-1] - self.timestamp_begin, last)

    def _is_time(self, token: int) -> bool:
        return token >= self.timestamp_begin

    def _last_time(self, tokens: Sequence[int]) -> int:
        """-1 before the first."""
        found = next((token for token in reversed(tokens) if self._is_time(token)), None)
        return -1 if found is None else found - self.timestamp_begin
