"""Per-window checks and the temperature ladder, shared by every engine.

Thresholds and rules are those of openai-whisper's transcribe(); only the
windows that fail are decoded again, together, at the next temperature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_transcriber.engines.base import DecodeOptions, Features, Hypothesis, Model

TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
COMPRESSION_RATIO_LIMIT = 2.4  # above: the text repeats itself
LOGPROB_LIMIT = -1.0  # below: the model is guessing
NO_SPEECH_LIMIT = 0.6  # above, with a low log-probability: silence


def decode_with_fallback(
    model: Model, features: Sequence[Features], options: DecodeOptions
) -> list[Hypothesis]:
    """One hypothesis for each window; a silent window gives one without tokens."""
    found: dict[int, Hypothesis] = {}
    pending = list(range(len(features)))
    for temperature in TEMPERATURES:
        batch = [features[index] for index in pending]
        hypotheses = model.decode(batch, replace(options, temperature=temperature))
        found.update(zip(pending, hypotheses, strict=True))
        pending = [index for index in pending if needs_fallback(found[index])]
        if not pending:
            break
    return [_without_silence(found[index]) for index in range(len(features))]


def needs_fallback(hypothesis: Hypothesis) -> bool:
    """True when the text is not to be trusted; silence is not a failure."""
    if is_silence(hypothesis):
        return False
    return (
        hypothesis.compression_ratio > COMPRESSION_RATIO_LIMIT
        or hypothesis.avg_logprob < LOGPROB_LIMIT
    )


def is_silence(hypothesis: Hypothesis) -> bool:
    return hypothesis.no_speech_prob > NO_SPEECH_LIMIT and hypothesis.avg_logprob < LOGPROB_LIMIT


def _without_silence(hypothesis: Hypothesis) -> Hypothesis:
    return replace(hypothesis, tokens=(), text="") if is_silence(hypothesis) else hypothesis
