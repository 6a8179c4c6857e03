"""What holds for every engine, with the demo model and real speech."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from pathlib import Path

import pytest
import torch

from tests.packages import need_openvino
from tests.recordings import AUDIO, Samples, samples_of, silence
from voice_transcriber.engines.base import (
    WINDOW_S,
    DecodeOptions,
    Features,
    Hypothesis,
    Model,
)
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.engines.encoders.installed import OPENVINO
from voice_transcriber.engines.registry import ENGINES, make_engine
from voice_transcriber.errors import GpuFailed, ModelDamaged
from voice_transcriber.job import SAMPLE_RATE

ENGLISH = DecodeOptions(language="en")
LENGTHS_S = (5, 12, 29)


Load = Callable[..., Model]

OTHER_ENCODERS = [("faster-whisper", OPENVINO)]


@pytest.fixture(scope="module")
def load(engine: str, encoder: str, tmp_path_factory: pytest.TempPathFactory) -> Load:
    """What an engine converts goes to a folder that lasts as long as the module's tests."""
    folder = tmp_path_factory.mktemp("models")

    def loaded(checkpoint: Path = DEMO_FILE, compute_type: str = "float32") -> Model:
        return make_engine(engine, folder, encoder=encoder).load(
            checkpoint, size=checkpoint.stem, device="cpu", compute_type=compute_type
        )

    return loaded


@pytest.fixture(scope="module", params=[*product(ENGINES, ["own"]), *OTHER_ENCODERS], ids=" ".join)
def makeup(request: pytest.FixtureRequest) -> tuple[str, str]:
    """An engine and an encoder."""
    engine, encoder = request.param
    if encoder == OPENVINO:
        need_openvino()
    return engine, encoder


@pytest.fixture(scope="module")
def engine(makeup: tuple[str, str]) -> str:
    return makeup[0]


@pytest.fixture(scope="module")
def encoder(makeup: tuple[str, str]) -> str:
    return makeup[1]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other are slow where other processes want the cores too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def model(load: Load) -> Model:
    return load()


@pytest.fixture(scope="module")
def speech() -> Samples:
    return samples_of(AUDIO / "en_30s.flac")


@pytest.fixture(scope="module")
def features(model: Model, speech: Samples) -> list[Features]:
    """Windows of different lengths."""
    return model.encode([speech[: seconds * SAMPLE_RATE] for seconds in LENGTHS_S])


@pytest.fixture(scope="module")
def found(model: Model, features: list[Features]) -> list[Hypothesis]:
    return model.decode(features, ENGLISH)


def texts(hypotheses: Sequence[Hypothesis]) -> list[str]:
    return [one.text for one in hypotheses]


def test_a_loaded_model_says_what_it_is(model: Model) -> None:
    assert model.device == "cpu"
    assert model.is_multilingual


def test_each_window_has_its_features(model: Model) -> None:
    assert len(model.encode([silence(1), silence(30)])) == 2


def test_each_window_has_its_text(found: list[Hypothesis]) -> None:
    assert len(set(texts(found))) == len(LENGTHS_S)
    assert all(texts(found))


def test_features_may_be_decoded_again(
    model: Model, features: list[Features], found: list[Hypothesis]
) -> None:
    assert model.decode(features, ENGLISH) == found


def test_a_batch_with_beams_gives_what_its_windows_give_alone(
    model: Model, features: list[Features], found: list[Hypothesis]
) -> None:
    alone = [text for one in features for text in texts(model.decode([one], ENGLISH))]
    assert texts(found) == alone


def test_a_batch_without_beams_gives_what_its_windows_give_alone(
    model: Model, features: list[Features]
) -> None:
    greedy = replace(ENGLISH, beam_size=None)
    alone = [text for one in features for text in texts(model.decode([one], greedy))]
    assert texts(model.decode(features, greedy)) == alone


def test_a_higher_temperature_draws_lots_and_draws_the_same_again(
    model: Model, features: list[Features]
) -> None:
    options = replace(ENGLISH, temperature=0.8, best_of=2)
    first = model.decode(features[:2], options)
    assert [one.temperature for one in first] == [0.8, 0.8]
    assert texts(model.decode(features[:2], options)) == texts(first)


def test_a_prompt_and_hotwords_of_any_length_leave_the_text_its_room(
    model: Model, features: list[Features], found: list[Hypothesis]
) -> None:
    """The demo model writes nothing after a long prompt, which it was not taught; nor must it."""
    endless = replace(ENGLISH, prompt="The cat is black. " * 300, hotwords="Ada, " * 500)
    assert len(model.decode(features, endless)) == len(features)
    few = replace(ENGLISH, prompt="The cat is black.", hotwords="door, lamp")
    for one, before in zip(model.decode(features, few), found, strict=True):
        assert len(one.text) > 0.8 * len(before.text)


def test_a_hypothesis_says_how_sure_it_is(found: list[Hypothesis]) -> None:
    for one in found:
        assert -1.0 < one.avg_logprob <= 0.0
        assert 0.0 <= one.no_speech_prob < 0.6
        assert 0.0 < one.compression_ratio < 2.4


def test_the_text_is_that_of_the_tokens(model: Model, found: list[Hypothesis]) -> None:
    tokens = model.tokens(language="en", task="transcribe")
    for one in found:
        assert tokens.decode(one.tokens).strip() == one.text.strip()
        assert tokens.eot not in one.tokens


def test_timestamps_ascend_and_lie_in_a_window(model: Model, found: list[Hypothesis]) -> None:
    begin = model.tokens(language="en", task="transcribe").timestamp_begin
    for one in found:
        times = [(token - begin) * 0.02 for token in one.tokens if token >= begin]
        assert len(times) >= 2
        assert times == sorted(times)
        assert times[-1] <= WINDOW_S


def test_a_language_has_a_probability_for_each_window(
    model: Model, features: list[Features]
) -> None:
    for probabilities in model.detect_language(features):
        assert max(probabilities, key=lambda code: probabilities[code]) == "en"
        assert all(0.0 <= one <= 1.0 for one in probabilities.values())


def test_words_have_their_times_in_order_within_the_window(
    model: Model, features: list[Features], found: list[Hypothesis]
) -> None:
    tokens = model.tokens(language="en", task="transcribe")
    for length_s, one, heard in zip(LENGTHS_S, found, features, strict=True):
        text = [token for token in one.tokens if token < tokens.eot]
        words = model.align(heard, text, language="en", task="transcribe", length_s=length_s)
        assert [token for word in words for token in word.tokens] == text
        assert all(0 <= word.start_s <= word.end_s <= length_s for word in words)
        assert all(before.start_s <= after.start_s for before, after in pairwise(words))
        assert all(0.0 <= word.probability <= 1.0 for word in words)


def test_no_words_have_no_times(model: Model, features: list[Features]) -> None:
    assert model.align(features[0], [], language="en", task="transcribe", length_s=5) == []


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", DEMO_FILE.read_bytes()[:100_000]])
def test_a_broken_file_is_a_damaged_model(load: Load, tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "broken.pt"
    broken.write_bytes(content)
    with pytest.raises(ModelDamaged, match=r"broken\.pt"):
        load(broken)


@dataclass
class Bomb:
    """Makes a folder when it is unpickled."""

    folder: Path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_a_file_that_holds_a_program_is_damaged_and_the_program_is_not_run(
    engine: str, load: Load, tmp_path: Path
) -> None:
    if engine == "fake":
        pytest.skip("it reads no weights")
    torch.save({"dims": Bomb(tmp_path / "it ran"), "model_state_dict": {}}, tmp_path / "bomb.pt")
    with pytest.raises(ModelDamaged, match=r"bomb\.pt"):
        load(tmp_path / "bomb.pt")
    assert not (tmp_path / "it ran").exists()


def test_fewer_bits_give_the_same_text(
    engine: str, load: Load, speech: Samples, found: list[Hypothesis]
) -> None:
    """Half precision as on a GPU; where the engine lacks that on a CPU, its 8-bit weights."""
    model = load(compute_type="float16" if engine in ("openai-whisper", "fake") else "int8")
    features = model.encode([speech[: seconds * SAMPLE_RATE] for seconds in LENGTHS_S[:2]])
    hypotheses = model.decode(features, ENGLISH)
    assert texts(hypotheses) == texts(found)[:2]
    tokens = model.tokens(language="en", task="transcribe")
    spoken = [token for token in hypotheses[0].tokens if token < tokens.eot]
    words = model.align(
        features[0], spoken, language="en", task="transcribe", length_s=LENGTHS_S[0]
    )
    assert [token for word in words for token in word.tokens] == spoken
    assert max(model.detect_language(features)[0].items(), key=lambda one: one[1])[0] == "en"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_named() -> None:
    with pytest.raises(GpuFailed, match="The GPU failed: "):
        make_engine("openai-whisper").load(
            DEMO_FILE, size="demo", device="cuda", compute_type="float16"
        )
