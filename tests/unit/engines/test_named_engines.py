"""The engine's loop with two engines: its own and one that requests name. Both are fakes."""

from __future__ import annotations

import logging
import queue
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from tests.recordings import tone, write_pcm
from tests.running import until
from tests.unit.engines.hosts import OPTIONS, PATIENCE_S, question, started, stop, window
from tests.unit.engines.small_gpu import SmallGpu
from voice_transcriber.engines import offered
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.engines.client import Answer, EngineClient
from voice_transcriber.engines.protocol import (
    ON_CPU,
    LanguageReply,
    LoadRequest,
    ModelKey,
    WindowReply,
    WindowRequest,
)
from voice_transcriber.engines.registry import ENGINES, EngineEntry
from voice_transcriber.errors import EngineNotOffered

OTHER = "faster-whisper"
DEMO, DEMO_OF_OTHER = ModelKey("demo"), ModelKey("demo", OTHER)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineClient]:
    """Of a host whose own engine is the fake one; what SmallGpu decodes was asked of the other."""
    entry = replace(ENGINES["fake"], engine="tests.unit.engines.small_gpu:SmallGpu")
    monkeypatch.setitem(cast(dict[str, EngineEntry], ENGINES), OTHER, entry)
    monkeypatch.setattr(SmallGpu, "decoded", [])
    client = EngineClient(lambda: started(OPTIONS, place=ON_CPU, free_bytes=10**12))
    yield client
    stop(client)


@pytest.fixture
def pcm(tmp_path: Path) -> str:
    return str(write_pcm(tmp_path / "audio.pcm", tone(10)))


def replies(client: EngineClient, *requests: WindowRequest) -> list[WindowReply]:
    """In the order of the requests, which are asked all at once."""
    answers: queue.SimpleQueue[tuple[int, Answer]] = queue.SimpleQueue()
    ids = [client.submit(one, lambda *answer: answers.put(answer)) for one in requests]
    found = dict(answers.get(timeout=PATIENCE_S) for _ in ids)
    return [cast(WindowReply, found[one]) for one in ids]


def test_windows_of_two_engines_share_no_batch(client: EngineClient, pcm: str) -> None:
    found = replies(client, *(window(pcm, engine=name) for name in (None, OTHER, None, OTHER)))
    assert len({one.segments for one in found}) == 1
    assert [one.place and one.place.engine for one in found] == ["fake", OTHER, "fake", OTHER]
    assert sum(count for _, count in SmallGpu.decoded) == 2
    until(lambda: set(client.models) == {DEMO, DEMO_OF_OTHER})


def test_the_place_of_each_window_is_that_of_its_engine(client: EngineClient, pcm: str) -> None:
    own, named = replies(client, window(pcm), window(pcm, engine=OTHER))
    assert own.place == replace(ON_CPU, engine="fake")
    assert named.place == replace(ON_CPU, engine=OTHER, compute_type="int8")


def test_to_name_the_engine_that_is_set_is_to_name_none(client: EngineClient, pcm: str) -> None:
    replies(client, window(pcm, engine="fake"), window(pcm))
    until(lambda: client.models == [DEMO])


def test_two_engines_of_one_model_are_as_many_as_the_cache_holds(
    client: EngineClient, pcm: str
) -> None:
    replies(client, window(pcm))
    replies(client, window(pcm, model="copy"))
    replies(client, window(pcm, engine=OTHER))
    until(lambda: client.models == [ModelKey("copy"), DEMO_OF_OTHER])


def test_languages_are_heard_and_models_loaded_by_the_engine_that_is_named(
    client: EngineClient, pcm: str
) -> None:
    client.call(LoadRequest(model="demo", checkpoint=str(DEMO_FILE), engine=OTHER))
    assert isinstance(client.call(question(pcm, engine=OTHER)), LanguageReply)
    until(lambda: client.models == [DEMO_OF_OTHER])


def test_what_one_engine_made_of_a_window_is_not_given_to_the_other(
    client: EngineClient, pcm: str
) -> None:
    """Features wait on a shelf between the question for the language and the text."""
    client.call(question(pcm))
    (reply,) = replies(client, window(pcm, end_s=1, engine=OTHER))
    assert "encode" in reply.stages_s


def test_an_engine_whose_package_went_is_an_answer_and_the_host_goes_on(
    client: EngineClient, pcm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cast(dict[str, str], offered.PACKAGES), OTHER, "no_such_package")
    with pytest.raises(EngineNotOffered, match="no_such_package, which is not installed"):
        client.call(window(pcm, engine=OTHER))
    assert (client.loading, client.models) == (None, [])
    (reply,) = replies(client, window(pcm))
    assert reply.segments
