"""Encoders that are no engine's own, against the engines' own, with the same windows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.packages import need_openvino
from tests.recordings import AUDIO, samples_of
from voice_transcriber.engines.base import DecodeOptions, Decoder, Model, Samples
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.engines.conversions import conversions_of
from voice_transcriber.engines.encoders.installed import OPENVINO, OWN
from voice_transcriber.engines.registry import make_engine
from voice_transcriber.errors import ModelDamaged
from voice_transcriber.job import SAMPLE_RATE

GREEDY = DecodeOptions(language="en", beam_size=None)
FORM = ("ov",)

Load = Callable[..., Model]


@pytest.fixture(scope="module", autouse=True)
def openvino() -> None:
    need_openvino()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def load(folder: Path) -> Load:
    def loaded(engine: str, encoder: str, checkpoint: Path = DEMO_FILE) -> Model:
        return make_engine(engine, folder, encoder=encoder).load(
            checkpoint, size=checkpoint.stem, device="cpu", compute_type="float32"
        )

    return loaded


@pytest.fixture(scope="module")
def windows() -> list[Samples]:
    samples = samples_of(AUDIO / "en_30s.flac")
    return [samples[: 12 * SAMPLE_RATE], samples[12 * SAMPLE_RATE : 18 * SAMPLE_RATE]]


@pytest.mark.parametrize("engine", ["faster-whisper", "openai-whisper"])
def test_a_decoder_writes_the_same_for_both(
    load: Load, windows: list[Samples], engine: str
) -> None:
    own, other = load(engine, OWN), load(engine, OPENVINO)
    expected = [one.text for one in own.decode(own.encode(windows), GREEDY)]
    assert [one.text for one in other.decode(other.encode(windows), GREEDY)] == expected


def test_what_is_encoded_is_near(load: Load, windows: list[Samples]) -> None:
    """Within what bfloat16 rounds, which the encoder takes where the processor has it."""
    expected = np.stack(load("faster-whisper", OWN).encode(windows))
    encoded = np.stack(load("faster-whisper", OPENVINO).encode(windows))
    assert encoded.shape == expected.shape
    assert encoded.dtype == np.float32
    assert np.abs(encoded - expected).mean() < 0.02 * np.abs(expected).mean()


def test_an_array_becomes_features_without_a_copy(load: Load) -> None:
    encoded = np.zeros((1500, 256), np.float32)
    for engine in ("faster-whisper", "openai-whisper"):
        decoder = load(engine, OWN)
        assert np.shares_memory(np.asarray(_features(decoder, encoded)), encoded)


def _features(decoder: Decoder, encoded: np.ndarray) -> np.ndarray:
    return decoder.encoded_of(decoder.features_of(encoded))


def test_it_is_converted_once_and_anew_when_it_is_damaged(
    load: Load, folder: Path, windows: list[Samples]
) -> None:
    (form,) = conversions_of(DEMO_FILE, folder, FORM)
    network = form / "encoder.xml"
    made_ns = network.stat().st_mtime_ns
    load("faster-whisper", OPENVINO)
    assert network.stat().st_mtime_ns == made_ns
    network.write_bytes(bytes(network.stat().st_size))
    model = load("faster-whisper", OPENVINO)
    assert model.decode(model.encode(windows[:1]), GREEDY)[0].text
    assert network.stat().st_mtime_ns != made_ns


def test_a_broken_file_is_a_damaged_model(load: Load, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pt"
    torch.save({"dims": {}, "model_state_dict": {}}, broken)
    with pytest.raises(ModelDamaged, match=r"broken\.pt"):
        load("openai-whisper", OPENVINO, broken)
