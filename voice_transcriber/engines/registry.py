"""Engines by name. The module of one is imported when it is asked for, in the engine child only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from voice_transcriber.engines.base import Engine, VoiceDetector


@dataclass(frozen=True)
class EngineEntry:
    """Dotted `module:class` of an engine and of the voice detector that goes with it."""

    engine: str
    detector: str
    converts: bool = False  # it keeps files of its own in the model folder


ENGINES: Mapping[str, EngineEntry] = {
    "openai-whisper": EngineEntry(
        engine="voice_transcriber.engines.openai_whisper:OpenAIWhisperEngine",
        detector="voice_transcriber.audio.vad:SileroDetector",
    ),
    "faster-whisper": EngineEntry(
        engine="voice_transcriber.engines.faster_whisper:FasterWhisperEngine",
        detector="voice_transcriber.audio.vad:SileroDetector",
        converts=True,
    ),
    "fake": EngineEntry(
        engine="voice_transcriber.engines.fake:FakeEngine",
        detector="voice_transcriber.engines.fake:LevelDetector",
    ),
}


def make_engine(name: str, model_dir: Path | None = None) -> Engine:
    """`model_dir` takes what an engine converts; without it that lies beside the checkpoint."""
    entry = ENGINES[name]
    return cast(Engine, _make(entry.engine, *[model_dir] if entry.converts else []))


def make_detector(name: str) -> VoiceDetector:
    return cast(VoiceDetector, _make(ENGINES[name].detector))


def _make(path: str, *arguments: object) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)(*arguments)
