"""From figures to an order of combinations. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from voice_transcriber.engines.auto.records import DecoderPart, Figure, name_of

MOST_DIFFERING_PERCENT = 3.0  # words of a candidate that may be others than the reference's


@dataclass(frozen=True)
class Combination:
    """A decoder with its own encoder, or with another; seconds are those for 30 s of speech."""

    decoder: DecoderPart
    encoder: str
    seconds: float

    @property
    def name(self) -> str:
        return name_of(self.decoder, self.encoder)


def ranked(figures: Sequence[Figure], encoders: Sequence[str]) -> list[Combination]:
    """What may be chosen, the fastest first; `encoders` are those that the settings allow.

    Encoders and decoders were measured apart, and their times add up.
    """
    found = [
        Combination(text.decoder, heard.encoder, heard.encode_s + text.decode_s)
        for text in figures
        if text.decoder and text.decode_s is not None and is_near(text.differing_percent)
        for heard in figures
        if heard.encode_s is not None
        and heard.encoder in encoders
        and heard.decoder in (None, text.decoder)
    ]
    return sorted(found, key=lambda one: one.seconds)


def is_near(differing_percent: float | None) -> bool:
    return differing_percent is not None and differing_percent <= MOST_DIFFERING_PERCENT


def differing_percent(reference: str, text: str) -> float:
    """Words that are others, missing or superfluous, in percent of the reference's words."""
    expected, found = _words(reference), _words(text)
    matcher = difflib.SequenceMatcher(None, expected, found, autojunk=False)
    differing = sum(
        max(last - first, other_last - other_first)
        for kind, first, last, other_first, other_last in matcher.get_opcodes()
        if kind != "equal"
    )
    return 100 * differing / max(1, len(expected))


def _words(text: str) -> list[str]:
    return re.sub(r"[^\w\s]|_", "", text.lower()).split()
