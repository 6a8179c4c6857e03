"""Per-window checks and the temperature ladder, shared by every engine.

Thresholds and rules are those of openai-whisper's transcribe(); only the
windows that fail are decoded again, together, at the next temperature.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from voice_transcriber.engines.base import DecodeOptions, Features, Hypothesis, Model

TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
COMPRESSION_RATIO_LIMIT = 2.4  # above: the text repeats itself
LOGPROB_LIMIT = -1.0  # below: the model is guessing
NO_SPEECH_LIMIT = 0.6  # above, with a low log-probability: silence


def raise_temperature(
    model: Model,
    features: Sequence[Features],
    options: DecodeOptions,
    first: Sequence[Hypothesis],
    *,
    leave: Collection[int] = (),
    on_step: Callable[[], None] = lambda: None,
) -> list[Hypothesis]:
    """One hypothesis for each window, from those of the lowest temperature.

    Windows whose index is in `leave` stay as they are. Of a silent window nothing is kept but
    the figures. `on_step` is called after each temperature.
    """
    found = list(first)
    for temperature in TEMPERATURES[1:]:
        pending = [
            index for index, one in enumerate(found) if index not in leave and needs_fallback(one)
        ]
        if not pending:
            break
        batch = [features[index] for index in pending]
        hypotheses = model.decode(batch, replace(options, temperature=temperature))
        for index, hypothesis in zip(pending, hypotheses, strict=True):
            found[index] = hypothesis
        on_step()
    return [_without_silence(hypothesis) for hypothesis in found]


def needs_fallback(hypothesis: Hypothesis) -> bool:
    """True when the text is not to be trusted; silence is not a failure."""
    if is_silence(hypothesis):
        return False
    return repeats_itself(hypothesis) or hypothesis.avg_logprob < LOGPROB_LIMIT


def repeats_itself(hypothesis: Hypothesis) -> bool:
    return hypothesis.compression_ratio > COMPRESSION_RATIO_LIMIT


def is_silence(hypothesis: Hypothesis) -> bool:
    return hypothesis.no_speech_prob > NO_SPEECH_LIMIT and hypothesis.avg_logprob < LOGPROB_LIMIT


def _without_silence(hypothesis: Hypothesis) -> Hypothesis:
    return replace(hypothesis, tokens=(), text="") if is_silence(hypothesis) else hypothesis
