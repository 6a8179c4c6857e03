"""Models are loaded, let go of and refused, on the GPU or the CPU; the host goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from tests.running import until
from tests.unit.engines.hosts import OPTIONS, question, started, stop, transcribed, window
from tests.unit.engines.requests import window_request
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.engines.client import EngineClient
from voice_transcriber.engines.protocol import (
    ON_CPU,
    ON_GPU,
    LanguageReply,
    LoadReply,
    LoadRequest,
    ModelKey,
)
from voice_transcriber.engines.registry import ENGINES, EngineEntry
from voice_transcriber.errors import ModelDamaged, ModelTooLarge


def test_a_model_can_be_loaded_before_it_is_needed(client: EngineClient, pcm: str) -> None:
    reply = client.call(LoadRequest(model="demo", checkpoint=str(DEMO_FILE)))
    assert isinstance(reply, LoadReply)
    assert set(reply.stages_s) == {"load", "warm"}
    assert (client.models, client.loading) == ([ModelKey("demo")], None)
    assert transcribed(client, window(pcm)).segments


def test_a_model_that_is_larger_than_memory_is_an_answer_and_the_host_goes_on(
    client: EngineClient, pcm: str, tmp_path: Path
) -> None:
    huge = tmp_path / "huge.pt"
    with huge.open("wb") as file:
        file.truncate(10**13)  # takes no room on the disk
    with pytest.raises(ModelTooLarge, match="huge needs about"):
        client.call(window_request(pcm=pcm, model="huge", checkpoint=str(huge)))
    assert transcribed(client, window(pcm)).segments
    assert client.starts == 1


@pytest.fixture
def on_failing_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineClient]:
    entry = replace(ENGINES["fake"], engine="tests.unit.engines.failing_gpu:FailingGpu")
    monkeypatch.setitem(cast(dict[str, EngineEntry], ENGINES), "failing-gpu", entry)
    options = replace(OPTIONS, engine="failing-gpu")
    client = EngineClient(lambda: started(options, place=ON_GPU, free_bytes=10**12))
    yield client
    stop(client)


def test_a_window_that_the_gpu_has_no_memory_for_is_decoded_on_the_cpu(
    on_failing_gpu: EngineClient, client: EngineClient, pcm: str
) -> None:
    moved, usual = transcribed(on_failing_gpu, window(pcm)), transcribed(client, window(pcm))
    assert moved.segments == usual.segments
    assert usual.place == replace(ON_CPU, engine="fake")
    assert moved.place == replace(
        ON_CPU,
        engine="failing-gpu",
        note="The GPU could not be used: There is not enough memory for the model demo. "
        "The CPU was used.",
    )


def test_a_gpu_that_fails_is_left_for_good(on_failing_gpu: EngineClient, pcm: str) -> None:
    request = question(pcm)
    assert isinstance(on_failing_gpu.call(request), LanguageReply)
    assert on_failing_gpu.gpu_free_bytes is None
    place = transcribed(on_failing_gpu, window(pcm, model="copy")).place
    assert place is not None
    assert place.device == "cpu"
    assert "unspecified launch failure" in str(place.note)


def test_free_memory_that_is_told_decides(pcm: str) -> None:
    client = EngineClient(lambda: started(OPTIONS, place=ON_CPU, free_bytes=1000))
    with pytest.raises(ModelTooLarge, match=r"0\.0 GB are free"):
        client.call(window(pcm))
    assert (client.loading, client.models) == (None, [])
    stop(client)


def test_a_damaged_model_is_an_answer_and_the_host_goes_on(
    client: EngineClient, pcm: str, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"no checkpoint")
    request = window_request(pcm=pcm, model="broken", checkpoint=str(broken))
    with pytest.raises(ModelDamaged):
        client.call(request)
    assert (client.loading, client.models) == (None, [])
    assert transcribed(client, window(pcm)).segments
    assert client.starts == 1


def test_idle_models_are_let_go(client: EngineClient, pcm: str) -> None:
    transcribed(client, window(pcm))
    until(lambda: client.models == [ModelKey("demo")])
    client.unload_idle(idle_s=0)
    until(lambda: not client.models)
