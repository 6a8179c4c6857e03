"""Windows whose text is not to be trusted are decoded again, and only those."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.unit.engines.partial_model import PartialModel
from voice_transcriber.engines.base import (
    DecodeOptions,
    Features,
    Hypothesis,
)
from voice_transcriber.engines.fallback import (
    TEMPERATURES,
    is_silence,
    needs_fallback,
    raise_temperature,
)

OPTIONS = DecodeOptions(language="en")


def hypothesis(
    text: str = " good",
    *,
    avg_logprob: float = -0.2,
    compression_ratio: float = 1.2,
    no_speech_prob: float = 0.1,
) -> Hypothesis:
    return Hypothesis(
        tokens=(1, 2, 3),
        text=text,
        avg_logprob=avg_logprob,
        no_speech_prob=no_speech_prob,
        compression_ratio=compression_ratio,
        temperature=0.0,
    )


GOOD = hypothesis()
GUESSED = hypothesis(" guessed", avg_logprob=-1.2)
REPEATED = hypothesis(" again again", compression_ratio=2.6)
SILENT = hypothesis(" you", avg_logprob=-1.2, no_speech_prob=0.9)


class ScriptedModel(PartialModel):
    """Features are the hypotheses of a window by the number of the attempt; the last one stays."""

    def __init__(self) -> None:
        self.batches: list[tuple[float, int]] = []  # temperature and size

    def decode(self, features: Sequence[Features], options: DecodeOptions) -> list[Hypothesis]:
        self.batches.append((options.temperature, len(features)))
        attempt = TEMPERATURES.index(options.temperature)
        return [script[min(attempt, len(script) - 1)] for script in features]


def decode(
    model: ScriptedModel, scripts: Sequence[Features], *, leave: Sequence[int] = ()
) -> list[Hypothesis]:
    first = model.decode(scripts, OPTIONS)
    return raise_temperature(model, scripts, OPTIONS, first, leave=leave)


def test_good_text_is_decoded_once() -> None:
    model = ScriptedModel()
    assert decode(model, [[GOOD], [GOOD]]) == [GOOD, GOOD]
    assert model.batches == [(0.0, 2)]


@pytest.mark.parametrize("bad", [GUESSED, REPEATED])
def test_a_bad_window_is_decoded_again_without_its_neighbours(bad: Hypothesis) -> None:
    model = ScriptedModel()
    found = decode(model, [[GOOD], [bad, bad, GOOD], [SILENT]])
    assert found[:2] == [GOOD, GOOD]
    assert model.batches == [(0.0, 3), (0.2, 1), (0.4, 1)]


def test_windows_stay_in_order_when_several_fall_back() -> None:
    first, second = hypothesis(" first"), hypothesis(" second")
    scripts = [[GUESSED, GUESSED, first], [GOOD], [REPEATED, second]]
    found = decode(ScriptedModel(), scripts)
    assert [one.text for one in found] == [" first", " good", " second"]


def test_the_last_temperature_counts_even_when_it_is_no_better() -> None:
    model = ScriptedModel()
    last = hypothesis(" last", avg_logprob=-1.5)
    assert decode(model, [[*[GUESSED] * 5, last]]) == [last]
    assert model.batches == [(temperature, 1) for temperature in TEMPERATURES]


def test_a_window_that_another_decode_replaces_is_left_as_it_is() -> None:
    model = ScriptedModel()
    assert decode(model, [[REPEATED, GOOD], [GUESSED, GOOD]], leave=[0]) == [REPEATED, GOOD]
    assert model.batches == [(0.0, 2), (0.2, 1)]


def test_silence_is_not_decoded_again_and_has_no_text() -> None:
    model = ScriptedModel()
    (found,) = decode(model, [[SILENT]])
    assert (found.tokens, found.text) == ((), "")
    assert len(model.batches) == 1


def test_silence_that_shows_at_a_higher_temperature_has_no_text() -> None:
    (found,) = decode(ScriptedModel(), [[REPEATED, SILENT]])
    assert found.text == ""


def test_a_text_of_which_the_model_is_sure_is_not_silence() -> None:
    sure = hypothesis(avg_logprob=-0.3, no_speech_prob=0.95)
    assert not is_silence(sure)
    assert not needs_fallback(sure)


@pytest.mark.parametrize(
    ("at_the_limit", "beyond"),
    [
        (hypothesis(avg_logprob=-1.0), hypothesis(avg_logprob=-1.001)),
        (hypothesis(compression_ratio=2.4), hypothesis(compression_ratio=2.401)),
    ],
)
def test_the_limits_are_those_of_whisper(at_the_limit: Hypothesis, beyond: Hypothesis) -> None:
    assert not needs_fallback(at_the_limit)
    assert needs_fallback(beyond)
