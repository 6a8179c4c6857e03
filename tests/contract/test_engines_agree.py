"""The engine on CTranslate2 against openai-whisper's own, with the same windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import whisper
from whisper.model import ModelDimensions, Whisper

from tests.recordings import AUDIO, samples_of, silence
from voice_transcriber.engines.base import DecodeOptions, Hypothesis, Model, Samples
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.engines.conversions import conversions_of
from voice_transcriber.engines.ct2_convert import alignment_heads
from voice_transcriber.engines.registry import make_engine
from voice_transcriber.errors import EngineOutOfMemory
from voice_transcriber.job import SAMPLE_RATE

FILES = {"en_30s.flac": "en", "noisy_1min.flac": "en", "es_1min.flac": "es", "de_1min.flac": "de"}
WINDOW_SAMPLES = 28 * SAMPLE_RATE

# Mel bands and tokens: English models, multilingual ones, large-v3 and turbo.
SHAPES = {"english": (80, 51864), "multilingual": (80, 51865), "large-v3": (128, 51866)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def load(folder: Path) -> Callable[..., Model]:
    def loaded(engine: str, checkpoint: Path = DEMO_FILE, compute_type: str = "float32") -> Model:
        return make_engine(engine, folder).load(
            checkpoint, size=checkpoint.stem, device="cpu", compute_type=compute_type
        )

    return loaded


@pytest.fixture(scope="module")
def models(load: Callable[..., Model]) -> list[Model]:
    return [load("openai-whisper"), load("faster-whisper")]


def windows_of(name: str) -> list[Samples]:
    samples = samples_of(AUDIO / name)
    return [samples[at : at + WINDOW_SAMPLES] for at in range(0, len(samples), WINDOW_SAMPLES)]


def decoded(model: Model, name: str, options: DecodeOptions) -> list[Hypothesis]:
    return model.decode(model.encode(windows_of(name)), options)


@pytest.mark.parametrize("name", FILES)
def test_greedy_text_and_figures_are_the_same(models: list[Model], name: str) -> None:
    options = DecodeOptions(language=FILES[name], beam_size=None)
    theirs, ours = (decoded(model, name, options) for model in models)
    for one, other in zip(theirs, ours, strict=True):
        assert other.tokens == one.tokens
        assert other.text == one.text
        assert other.avg_logprob == pytest.approx(one.avg_logprob, abs=1e-3)
        assert other.no_speech_prob == pytest.approx(one.no_speech_prob, abs=1e-4)
        assert other.compression_ratio == one.compression_ratio


def test_a_prompt_and_a_translation_are_the_same(models: list[Model]) -> None:
    options = DecodeOptions(
        language="de", beam_size=None, task="translate", prompt="The garden.", hotwords="bread"
    )
    theirs, ours = (decoded(model, "de_1min.flac", options) for model in models)
    assert [one.tokens for one in ours] == [one.tokens for one in theirs]


def test_silence_is_as_silent(models: list[Model]) -> None:
    options = DecodeOptions(language="en", beam_size=None)
    theirs, ours = (model.decode(model.encode([silence(10)]), options)[0] for model in models)
    assert ours.no_speech_prob == pytest.approx(theirs.no_speech_prob, abs=1e-3)


def test_the_language_that_is_not_given_is_detected(models: list[Model]) -> None:
    options = DecodeOptions(language=None, beam_size=None)
    given = replace(options, language="es")
    assert decoded(models[1], "es_1min.flac", options) == decoded(models[1], "es_1min.flac", given)


def test_words_have_the_same_times(models: list[Model]) -> None:
    window = windows_of("en_30s.flac")[0]
    (hypothesis,) = models[0].decode(models[0].encode([window]), DecodeOptions(language="en"))
    eot = models[0].tokens(language="en", task="transcribe").eot
    text = [token for token in hypothesis.tokens if token < eot]
    theirs, ours = (
        model.align(model.encode([window])[0], text, language="en", task="transcribe", length_s=28)
        for model in models
    )
    for one, other in zip(theirs, ours, strict=True):
        assert (other.text, other.tokens) == (one.text, one.tokens)
        assert other.start_s == pytest.approx(one.start_s, abs=0.021)
        assert other.end_s == pytest.approx(one.end_s, abs=0.021)
        assert other.probability == pytest.approx(one.probability, abs=1e-3)


def test_a_window_shorter_than_a_word_can_be_aligned(models: list[Model]) -> None:
    model = models[1]
    (features,) = model.encode([silence(0.1)])
    (word,) = model.align(features, [2425], language="en", task="transcribe", length_s=0.1)
    assert 0 <= word.start_s <= word.end_s <= 0.1


@pytest.mark.parametrize("shape", SHAPES)
def test_every_kind_of_checkpoint_is_the_same_network(
    load: Callable[..., Model], tmp_path: Path, shape: str
) -> None:
    """Small networks of random numbers, with the bands and tokens of the published ones."""
    checkpoint = write_random(tmp_path / f"random-{shape}.pt", *SHAPES[shape])
    theirs, ours = load("openai-whisper", checkpoint), load("faster-whisper", checkpoint)
    assert ours.is_multilingual == theirs.is_multilingual == (shape != "english")
    language = "yue" if shape == "large-v3" else "en"
    texts, votes = [], []
    for model in (theirs, ours):
        features = model.encode(windows_of("en_5s.wav"))
        votes.append(model.detect_language(features)[0])
        options = DecodeOptions(language=language, beam_size=None)
        texts.append([one.tokens for one in model.decode(features, options)])
    assert texts[0] == texts[1]
    assert votes[1] == pytest.approx(votes[0], abs=1e-4)


def write_random(path: Path, bands: int, tokens: int) -> Path:
    torch.manual_seed(7)
    dims = ModelDimensions(bands, 1500, 64, 1, 2, tokens, 448, 64, 1, 2)
    weights = {
        name: torch.randn_like(weight) * 0.2 for name, weight in Whisper(dims).state_dict().items()
    }
    torch.save({"dims": dims.__dict__, "model_state_dict": weights}, path)
    return path


@pytest.mark.parametrize("name", ["tiny.en", "large-v3", "turbo"])
def test_published_names_have_their_alignment_heads(name: str) -> None:
    layers, heads = {"tiny.en": (4, 6), "large-v3": (32, 20), "turbo": (4, 20)}[name]
    network = Whisper(ModelDimensions(80, 1500, 64, 1, 1, 51865, 448, 64 * heads, heads, layers))
    network.set_alignment_heads(whisper._ALIGNMENT_HEADS[name])
    dims = {"n_text_layer": layers, "n_text_head": heads}
    assert alignment_heads(dims, None, name) == network.alignment_heads.indices().T.tolist()


def test_a_damaged_conversion_is_made_anew(
    load: Callable[..., Model], folder: Path, models: list[Model]
) -> None:
    (converted,) = conversions_of(DEMO_FILE, folder)
    model = converted / "model.bin"
    model.write_bytes(bytes(model.stat().st_size))
    options = DecodeOptions(language="en", beam_size=None)
    again = decoded(load("faster-whisper"), "en_5s.wav", options)
    assert [one.text for one in again] == [
        one.text for one in decoded(models[0], "en_5s.wav", options)
    ]


def test_no_memory_is_named(load: Callable[..., Model], monkeypatch: pytest.MonkeyPatch) -> None:
    """What CTranslate2 says then, on a GPU and on a CPU."""
    for message in ("CUDA failed with error out of memory", "std::bad_alloc"):
        monkeypatch.setattr(
            "voice_transcriber.engines.faster_whisper._open", failing(RuntimeError(message))
        )
        with pytest.raises(EngineOutOfMemory, match="memory for the model demo"):
            load("faster-whisper")


def failing(error: Exception) -> Callable[..., Model]:
    def fail(*_: object) -> Model:
        raise error

    return fail
