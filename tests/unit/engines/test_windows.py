"""A batch becomes replies; a long window whose text repeats itself is decoded by halves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.unit.engines.partial_model import PartialModel
from tests.unit.engines.requests import window_request
from voice_transcriber.engines.base import (
    DecodeOptions,
    Features,
    Hypothesis,
    Samples,
)
from voice_transcriber.engines.protocol import WindowReply
from voice_transcriber.engines.windows import FeatureShelf, transcribe_batch
from voice_transcriber.job import SAMPLE_RATE

BEGIN = 1000  # first timestamp token
QUIET_FROM_S, QUIET_TO_S = 13, 14


class Vocabulary:
    timestamp_begin = BEGIN
    eot = 500

    def decode(self, tokens: Sequence[int]) -> str:
        return " ".join(str(token) for token in tokens if token < self.eot)


class BeamModel(PartialModel):
    """Writes nothing, and keeps what it was asked for."""

    asked: DecodeOptions

    def encode(self, windows: Sequence[Samples]) -> list[Features]:
        return [None for _ in windows]

    def decode(self, features: Sequence[Features], options: DecodeOptions) -> list[Hypothesis]:
        self.asked = options
        silent = Hypothesis(
            tokens=(),
            text="",
            avg_logprob=-0.1,
            no_speech_prob=0.0,
            compression_ratio=1.0,
            temperature=options.temperature,
        )
        return [silent for _ in features]

    def tokens(self, *, language: str | None, task: str) -> Vocabulary:
        return Vocabulary()


class LengthModel(PartialModel):
    """Writes one segment over the whole window; a long text looks like one that repeats itself."""

    def __init__(self, *, repeats_from_s: float) -> None:
        self._repeats_from_s = repeats_from_s
        self.decoded: list[tuple[float, list[int]]] = []  # temperature, whole seconds of windows

    def encode(self, windows: Sequence[Samples]) -> list[Features]:
        return [len(window) / SAMPLE_RATE for window in windows]

    def decode(self, features: Sequence[Features], options: DecodeOptions) -> list[Hypothesis]:
        self.decoded.append((options.temperature, [int(length_s) for length_s in features]))
        return [self._hypothesis(length_s, options.temperature) for length_s in features]

    def _hypothesis(self, length_s: float, temperature: float) -> Hypothesis:
        repeats = length_s >= self._repeats_from_s and temperature < 0.4
        return Hypothesis(
            tokens=(BEGIN, 7, BEGIN + int(length_s / 0.02)),
            text="7",
            avg_logprob=-0.1,
            no_speech_prob=0.0,
            compression_ratio=2.5 if repeats else 1.5,
            temperature=temperature,
        )

    def tokens(self, *, language: str | None, task: str) -> Vocabulary:
        return Vocabulary()


@pytest.fixture
def pcm(tmp_path: Path) -> Path:
    """Thirty seconds of noise with one quiet second."""
    samples = np.random.default_rng(1).integers(-3000, 3000, 30 * SAMPLE_RATE, dtype=np.int16)
    samples[QUIET_FROM_S * SAMPLE_RATE : QUIET_TO_S * SAMPLE_RATE] = 0
    path = tmp_path / "audio.pcm"
    path.write_bytes(samples.tobytes())
    return path


def read(model: LengthModel, pcm: Path, *lengths_s: int) -> list[WindowReply]:
    requests = [
        window_request(pcm=str(pcm), end=length_s * SAMPLE_RATE, speech_end=length_s * SAMPLE_RATE)
        for length_s in lengths_s
    ]
    return transcribe_batch(model, requests, FeatureShelf())


def test_the_second_half_is_left_to_a_window_of_its_own(pcm: Path) -> None:
    (reply,) = read(LengthModel(repeats_from_s=20), pcm, 28)
    assert reply.resume_sample is not None
    assert QUIET_FROM_S * SAMPLE_RATE < reply.resume_sample < QUIET_TO_S * SAMPLE_RATE
    (segment,) = reply.segments
    assert (segment.start_ms, segment.temperature) == (0, 0.0)
    assert QUIET_FROM_S * 1000 < segment.end_ms < QUIET_TO_S * 1000


def test_the_neighbours_of_a_divided_window_keep_their_text_and_their_place(pcm: Path) -> None:
    model = LengthModel(repeats_from_s=25)
    replies = read(model, pcm, 12, 28, 10)
    assert [reply.resume_sample is None for reply in replies] == [True, False, True]
    assert [reply.segments[-1].end_ms // 1000 for reply in replies] == [12, 13, 10]
    assert model.decoded == [(0.0, [12, 28, 10]), (0.0, [13])]


def test_a_short_window_that_repeats_itself_is_sampled_instead(pcm: Path) -> None:
    model = LengthModel(repeats_from_s=5)
    (reply,) = read(model, pcm, 12)
    assert reply.resume_sample is None
    assert reply.segments[0].temperature == 0.4
    assert [temperature for temperature, _ in model.decoded] == [0.0, 0.2, 0.4]


def test_the_time_of_both_decodes_is_counted(pcm: Path) -> None:
    (reply,) = read(LengthModel(repeats_from_s=20), pcm, 28)
    assert set(reply.stages_s) == {"encode", "text"}
    assert all(seconds > 0 for seconds in reply.stages_s.values())


def test_a_batch_that_is_read_again_shows_that_it_comes_along(pcm: Path) -> None:
    """Encoded, decoded, decoded twice at higher temperatures, told."""
    steps: list[None] = []
    request = window_request(pcm=str(pcm), end=10 * SAMPLE_RATE, speech_end=10 * SAMPLE_RATE)
    model = LengthModel(repeats_from_s=1)
    transcribe_batch(model, [request], FeatureShelf(), on_step=lambda: steps.append(None))
    assert len(steps) == 2 + (len(model.decoded) - 1) + 1


@pytest.mark.parametrize(("beam_size", "asked"), [(5, 5), (1, None)])
def test_a_batch_is_decoded_with_its_beams_and_one_beam_is_none(
    pcm: Path, beam_size: int, asked: int | None
) -> None:
    model = BeamModel()
    request = window_request(
        pcm=str(pcm), end=SAMPLE_RATE, speech_end=SAMPLE_RATE, beam_size=beam_size
    )
    transcribe_batch(model, [request], FeatureShelf())
    assert model.asked.beam_size == asked
