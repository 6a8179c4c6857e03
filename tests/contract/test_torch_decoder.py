"""The batched decoder against openai-whisper's own decoding, window by window."""

from __future__ import annotations

from collections.abc import Sequence

import jiwer
import numpy as np
import pytest
import torch
import whisper
from whisper.audio import N_SAMPLES
from whisper.timing import find_alignment
from whisper.tokenizer import get_tokenizer

from tests.recordings import AUDIO, samples_of
from voice_transcriber.engines.base import (
    DecodeOptions,
    Features,
    Hypothesis,
    Model,
    Pausable,
    Samples,
)
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.engines.openai_whisper import OpenAIWhisperEngine, set_alignment_heads
from voice_transcriber.job import SAMPLE_RATE

FILES = {"en_30s.flac": "en", "noisy_1min.flac": "en", "de_1min.flac": "de"}
WINDOW_SAMPLES = 14 * SAMPLE_RATE
WINDOWS = 2  # of each file


@pytest.fixture(scope="module")
def network() -> whisper.Whisper:
    network = whisper.load_model(str(DEMO_FILE), device="cpu")
    set_alignment_heads(network, DEMO_FILE, "demo")
    return network


@pytest.fixture(scope="module")
def model() -> Model:
    return loaded("float32")


def loaded(compute_type: str) -> Model:
    return OpenAIWhisperEngine().load(
        DEMO_FILE, size="demo", device="cpu", compute_type=compute_type
    )


def windows_of(name: str) -> list[Samples]:
    samples = samples_of(AUDIO / name)
    starts = range(0, WINDOWS * WINDOW_SAMPLES, WINDOW_SAMPLES)
    return [samples[start : start + WINDOW_SAMPLES] for start in starts]


def filled_up(windows: Sequence[Samples]) -> list[Samples]:
    """To 30 s: the decoder takes the silence behind for sound, and leaves none of it out."""
    return [np.pad(one, (0, N_SAMPLES - len(one))) for one in windows]


def by_whisper(
    network: whisper.Whisper, features: Sequence[Features], **options: object
) -> list[whisper.DecodingResult]:
    asked = whisper.DecodingOptions(fp16=False, **options)
    return [whisper.decode(network, one.states, asked) for one in features]


def assert_same(ours: Sequence[Hypothesis], theirs: Sequence[whisper.DecodingResult]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        assert list(one.tokens) == other.tokens
        assert one.text == other.text
        assert one.avg_logprob == pytest.approx(other.avg_logprob, abs=1e-3)
        assert one.no_speech_prob == pytest.approx(other.no_speech_prob, abs=1e-4)
        assert one.compression_ratio == other.compression_ratio


@pytest.mark.parametrize("beams", [None, 5])
@pytest.mark.parametrize("name", FILES)
def test_a_batch_has_whispers_text_and_figures(
    network: whisper.Whisper, model: Model, name: str, beams: int | None
) -> None:
    features = model.encode(filled_up(windows_of(name)))
    ours = model.decode(features, DecodeOptions(language=FILES[name], beam_size=beams))
    assert_same(ours, by_whisper(network, features, language=FILES[name], beam_size=beams))


def test_a_prompt_and_a_translation_are_whispers(network: whisper.Whisper, model: Model) -> None:
    features = model.encode(filled_up(windows_of("de_1min.flac")))
    prompt = get_tokenizer(multilingual=True).encode(" The garden.")
    ours = model.decode(
        features, DecodeOptions(language="de", task="translate", prompt="The garden.")
    )
    theirs = by_whisper(
        network, features, language="de", task="translate", prompt=prompt, beam_size=5
    )
    assert_same(ours, theirs)


def test_languages_are_as_likely_as_whisper_says(network: whisper.Whisper, model: Model) -> None:
    features = model.encode([windows_of(name)[0] for name in FILES])
    _, theirs = network.detect_language(torch.stack([one.states for one in features]))
    for one, other in zip(model.detect_language(features), theirs, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_words_have_whispers_times(network: whisper.Whisper, model: Model) -> None:
    (samples, *_) = windows_of("en_30s.flac")
    features = model.encode([samples])
    (found,) = model.decode(features, DecodeOptions(language="en"))
    tokenizer = get_tokenizer(multilingual=True, language="en", task="transcribe")
    words = [token for token in found.tokens if token < tokenizer.eot]
    mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(samples))
    theirs = find_alignment(network, tokenizer, words, mel, len(samples) // 160)
    ours = model.align(
        features[0],
        words,
        language="en",
        task="transcribe",
        length_s=len(samples) / SAMPLE_RATE,
    )
    assert [(one.text, one.start_s, one.end_s) for one in ours] == [
        (one.word, one.start, one.end) for one in theirs
    ]
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.probability == pytest.approx(other.probability, abs=1e-4)


def test_a_drawn_text_does_not_depend_on_the_other_windows(model: Model) -> None:
    features = model.encode(windows_of("noisy_1min.flac"))
    options = DecodeOptions(language="en", temperature=0.8)
    together = model.decode(features, options)
    alone = [model.decode([one], options)[0] for one in features]
    assert [one.tokens for one in together] == [one.tokens for one in alone]


def test_lanes_give_every_window_its_own_text(model: Model) -> None:
    features = [model.encode([one])[0] for name in FILES for one in windows_of(name)]
    options = DecodeOptions(language="en", beam_size=None)
    together = model.decode([*features, *features[:3]], options)
    alone = [model.decode([one], options)[0] for one in features]
    assert [one.tokens for one in together] == [one.tokens for one in [*alone, *alone[:3]]]


def test_a_window_that_passes_in_the_middle_of_a_batch_changes_nothing(model: Model) -> None:
    features = [model.encode([one])[0] for name in FILES for one in windows_of(name)] * 2
    options = DecodeOptions(language="en", beam_size=None)
    expected = [one.tokens for one in model.decode(features, options)]
    passed: list[list[Hypothesis]] = []

    def pass_once() -> None:
        if not passed:
            passed.append([])  # what passes lets nothing pass
            passed.append(model.decode(features[:1], options))

    assert isinstance(model, Pausable)
    model.let_pass(pass_once)
    try:
        found = model.decode(features, options)
    finally:
        model.let_pass(lambda: None)
    assert [one.tokens for one in found] == expected
    assert passed[-1][0].tokens == expected[0]


@pytest.mark.parametrize("seconds", [3, 5, 8, 14])
def test_silence_that_is_left_out_changes_no_text(model: Model, seconds: int) -> None:
    clips = [one[: seconds * SAMPLE_RATE] for name in FILES for one in windows_of(name)]
    options = DecodeOptions(language="en", beam_size=None)
    fewer, all_frames = (
        model.decode(model.encode(one), options) for one in (clips, filled_up(clips))
    )
    assert [one.text for one in fewer] == [one.text for one in all_frames]
    for one, other in zip(fewer, all_frames, strict=True):
        assert one.avg_logprob == pytest.approx(other.avg_logprob, abs=0.05)


def test_half_precision_changes_few_words(model: Model) -> None:
    reduced = loaded("bfloat16")
    texts = []
    for one in (model, reduced):
        found = [
            hypothesis.text
            for name, language in FILES.items()
            for hypothesis in one.decode(
                one.encode(windows_of(name)), DecodeOptions(language=language)
            )
        ]
        texts.append(" ".join(found))
    assert jiwer.wer(*texts) <= 0.02
