"""A transcript of many hours, made of the true sentences of a recording."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from voice_transcriber.transcript.model import Segment, Transcript, Word

_PASS = "en_12min.opus"
_SEED = 4
_TIMESTAMP_BEGIN = 50364
_TEXT_TOKENS = 50257


def long_transcript(audio: Path, *, hours: float, with_words: bool) -> Transcript:
    """The recording again and again until so many hours are full.

    Tokens, probabilities and word times have the shape of real ones: a token for each word and
    two timestamps, four decimals, words evenly over their sentence.
    """
    manifest = json.loads((audio / "manifest.json").read_text(encoding="utf-8"))
    entry = next(one for one in manifest if one["file"] == _PASS)
    draw = random.Random(_SEED)
    return Transcript(
        language="en",
        language_probability=0.99,
        duration_ms=round(hours * 3_600_000),
        model="demo",
        task="transcribe",
        segments=tuple(_segments(entry, hours * 3_600_000, draw, with_words=with_words)),
    )


def _segments(
    entry: dict[str, Any], end_ms: float, draw: random.Random, *, with_words: bool
) -> Iterator[Segment]:
    pass_ms = round(1000 * entry["seconds"])
    for turn in count():
        for sentence in entry["segments"]:
            start_ms = turn * pass_ms + round(1000 * sentence["start"])
            stop_ms = turn * pass_ms + round(1000 * sentence["end"])
            if stop_ms > end_ms:
                return
            texts = [f" {word}" for word in sentence["text"].split()]
            yield Segment(
                start_ms=start_ms,
                end_ms=stop_ms,
                text="".join(texts),
                tokens=_tokens(texts, draw),
                avg_logprob=-_probability(draw),
                compression_ratio=1 + _probability(draw),
                no_speech_prob=_probability(draw),
                words=tuple(_words(texts, start_ms, stop_ms, draw)) if with_words else None,
            )


def _tokens(texts: list[str], draw: random.Random) -> tuple[int, ...]:
    start = draw.randrange(0, 700)
    spoken = (draw.randrange(_TEXT_TOKENS) for _ in texts)
    return (_TIMESTAMP_BEGIN + start, *spoken, _TIMESTAMP_BEGIN + start + 100)


def _words(texts: list[str], start_ms: int, end_ms: int, draw: random.Random) -> Iterator[Word]:
    step_ms = (end_ms - start_ms) / len(texts)
    for place, text in enumerate(texts):
        yield Word(
            start_ms=round(start_ms + place * step_ms),
            end_ms=round(start_ms + (place + 1) * step_ms),
            text=text,
            probability=_probability(draw),
        )


def _probability(draw: random.Random) -> float:
    return round(draw.random(), 4)
