"""Engines by name. The module of one is imported when it is asked for, in the engine child only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

from voice_transcriber.engines.base import Engine, VoiceDetector


@dataclass(frozen=True)
class EngineEntry:
    """Dotted `module:class` of an engine and of the voice detector that goes with it."""

    engine: str
    detector: str


ENGINES: Mapping[str, EngineEntry] = {
    "openai-whisper": EngineEntry(
        engine="voice_transcriber.engines.openai_whisper:OpenAIWhisperEngine",
        detector="voice_transcriber.audio.vad:SileroDetector",
    ),
    "fake": EngineEntry(
        engine="voice_transcriber.engines.fake:FakeEngine",
        detector="voice_transcriber.engines.fake:LevelDetector",
    ),
}


def make_engine(name: str) -> Engine:
    return cast(Engine, _make(ENGINES[name].engine))


def make_detector(name: str) -> VoiceDetector:
    return cast(VoiceDetector, _make(ENGINES[name].detector))


def _make(path: str) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)()
