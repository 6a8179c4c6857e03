"""Probabilities of speech become spans; Silero tells speech from the rest."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from silero_vad import load_silero_vad

from tests.recordings import AUDIO, manifest, samples_of, silence, tone
from voice_transcriber.audio.vad import (
    FRAME_SAMPLES,
    MIN_SILENCE_FRAMES,
    MIN_SPEECH_FRAMES,
    SileroDetector,
    Span,
    speech_spans,
)
from voice_transcriber.job import SAMPLE_RATE

YES, MAYBE, NO = 0.9, 0.4, 0.1  # above both thresholds, between them, below both


def spans_of(*frames: tuple[float, int]) -> list[tuple[int, int]]:
    """Spans in frames, from runs of equal probability."""
    probabilities = np.repeat([value for value, _ in frames], [count for _, count in frames])
    spans = speech_spans(probabilities.astype(np.float32))
    return [(span.start // FRAME_SAMPLES, span.end // FRAME_SAMPLES) for span in spans]


def test_speech_is_a_span() -> None:
    assert spans_of((NO, 10), (YES, 20), (NO, 10)) == [(10, 30)]


def test_speech_up_to_the_end_is_a_span() -> None:
    assert spans_of((NO, 10), (YES, 20)) == [(10, 30)]
    assert spans_of((NO, 10), (YES, 20), (NO, 1)) == [(10, 30)]


def test_a_click_is_not_speech() -> None:
    assert spans_of((NO, 10), (YES, MIN_SPEECH_FRAMES - 1), (NO, 10)) == []
    assert spans_of((NO, 10), (YES, MIN_SPEECH_FRAMES), (NO, 10)) != []


def test_a_short_silence_is_within_the_speech() -> None:
    pause = (NO, MIN_SILENCE_FRAMES - 1)
    assert spans_of((YES, 10), pause, (YES, 10), (NO, 9)) == [(0, 24)]


def test_a_longer_silence_ends_it() -> None:
    pause = (NO, MIN_SILENCE_FRAMES)
    assert spans_of((YES, 10), pause, (YES, 10), (NO, 9)) == [(0, 10), (15, 25)]


def test_doubt_does_not_begin_speech_and_does_not_end_it() -> None:
    assert spans_of((MAYBE, 10), (YES, 10), (MAYBE, 10), (NO, 10)) == [(10, 30)]


def test_nothing_has_no_spans() -> None:
    assert speech_spans(np.zeros(0, np.float32)) == []


@pytest.fixture(scope="module")
def silero() -> SileroDetector:
    return SileroDetector()


def test_loading_silero_leaves_the_threads_of_torch_alone() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    SileroDetector()
    threads = torch.get_num_threads()
    torch.set_num_threads(before)
    assert threads == before + 1


def test_a_whole_stretch_at_once_gives_what_silero_gives_frame_by_frame(
    silero: SileroDetector,
) -> None:
    samples = samples_of(AUDIO / "gaps_4min.opus")[: 60 * SAMPLE_RATE]
    whole = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES]
    network = load_silero_vad()
    with torch.inference_mode():
        one_by_one = [
            network(frame[None], SAMPLE_RATE).item()
            for frame in torch.from_numpy(whole).split(FRAME_SAMPLES)
        ]
    found = silero.probabilities(whole)
    np.testing.assert_allclose(found, one_by_one, atol=1e-3)
    assert speech_spans(found) == speech_spans(np.asarray(one_by_one, np.float32)) != []


def test_silero_gives_one_probability_for_each_frame_and_for_a_part_of_one(
    silero: SileroDetector,
) -> None:
    assert len(silero.probabilities(silence(1)[: 3 * FRAME_SAMPLES + 1])) == 4
    assert len(silero.probabilities(silence(0))) == 0


def test_silero_hears_no_speech_in_silence_and_in_a_tone(silero: SileroDetector) -> None:
    for samples in (silence(5), tone(5)):
        assert speech_spans(silero.probabilities(samples)) == []


def test_silero_hears_every_sentence(silero: SileroDetector) -> None:
    samples = samples_of(AUDIO / "en_5s.wav")
    spans = speech_spans(silero.probabilities(samples))
    for sentence in manifest()["en_5s.wav"]["segments"]:
        assert covered_s(spans, sentence["start"], sentence["end"]) > 0.9 * (
            sentence["end"] - sentence["start"]
        )


def covered_s(spans: list[Span], start_s: float, end_s: float) -> float:
    return sum(
        max(0.0, min(end_s, one.end / SAMPLE_RATE) - max(start_s, one.start / SAMPLE_RATE))
        for one in spans
    )


def test_silero_forgets_the_file_before(silero: SileroDetector) -> None:
    samples = samples_of(AUDIO / "en_5s.wav")
    first = silero.probabilities(samples)
    np.testing.assert_array_equal(silero.probabilities(samples), first)
