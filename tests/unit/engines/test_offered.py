"""Which engines a job may name."""

from __future__ import annotations

import pytest

from voice_transcriber.engines.compute import AUTO_CHOOSES_FROM
from voice_transcriber.engines.offered import PACKAGES, OfferedEngines
from voice_transcriber.errors import EngineNotOffered
from voice_transcriber.job import ENGINE_NAMES

COMPUTING_HERE = ["openai-whisper", "faster-whisper", "auto"]


def test_all_lists_of_engines_are_the_same() -> None:
    assert tuple(PACKAGES) == ENGINE_NAMES == AUTO_CHOOSES_FROM


@pytest.mark.parametrize("own", COMPUTING_HERE)
def test_every_engine_whose_package_is_here_is_offered(own: str) -> None:
    engines = OfferedEngines(own)
    assert engines.names == list(ENGINE_NAMES)
    for name in (None, *ENGINE_NAMES):
        engines.check(name)


def test_an_engine_without_its_package_is_refused_with_what_to_install() -> None:
    engines = OfferedEngines("auto", is_installed=lambda package: package != "ctranslate2")
    assert engines.names == ["openai-whisper"]
    with pytest.raises(EngineNotOffered, match="ctranslate2, which is not installed") as caught:
        engines.check("faster-whisper")
    assert "pip install" in caught.value.remedy


@pytest.mark.parametrize("own", ["remote", "fake"])
def test_what_is_not_computed_here_has_no_engine_to_name(own: str) -> None:
    engines = OfferedEngines(own)
    assert engines.names == []
    engines.check(None)
    with pytest.raises(EngineNotOffered, match=f"while ENGINE is {own}") as caught:
        engines.check("faster-whisper")
    assert "Leave the engine out" in caught.value.remedy


@pytest.mark.parametrize("name", ["fake", "auto", "remote", "", "x" * 1000])
@pytest.mark.parametrize("own", [*COMPUTING_HERE, "fake"])
def test_other_names_are_unknown(own: str, name: str) -> None:
    with pytest.raises(EngineNotOffered, match="There is no engine") as caught:
        OfferedEngines(own).check(name)
    assert len(caught.value.message) < 120
    assert "openai-whisper or faster-whisper" in caught.value.remedy
