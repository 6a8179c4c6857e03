"""Engines by name. The module of one is imported when it is asked for, in the engine child only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from voice_transcriber.engines.base import DecoderEngine, Engine, VoiceDetector
from voice_transcriber.engines.encoders.base import EncoderBackend
from voice_transcriber.engines.encoders.installed import AUTO, BACKENDS, OPENVINO


@dataclass(frozen=True)
class EngineEntry:
    """Dotted `module:class` of an engine and of the voice detector that goes with it."""

    engine: str
    detector: str
    converts: bool = False  # it keeps files of its own in the model folder


_SILERO = "voice_transcriber.audio.vad:SileroDetector"

ENGINES: Mapping[str, EngineEntry] = {
    "openai-whisper": EngineEntry(
        engine="voice_transcriber.engines.openai_whisper:OpenAIWhisperEngine",
        detector=_SILERO,
    ),
    "faster-whisper": EngineEntry(
        engine="voice_transcriber.engines.faster_whisper:FasterWhisperEngine",
        detector=_SILERO,
        converts=True,
    ),
    "auto": EngineEntry(
        engine="voice_transcriber.engines.auto.engine:AutoEngine", detector=_SILERO
    ),
    "fake": EngineEntry(
        engine="voice_transcriber.engines.fake:FakeEngine",
        detector="voice_transcriber.engines.fake:LevelDetector",
    ),
}


ENCODERS: Mapping[str, str] = {
    OPENVINO: "voice_transcriber.engines.encoders.openvino:OpenVinoBackend",
}


def make_engine(
    name: str,
    model_dir: Path | None = None,
    *,
    encoder: str = AUTO,
    thread_counts: Sequence[int] = (),
) -> Engine:
    """`model_dir` takes what an engine converts and what it finds out; without it that lies beside
    the checkpoint. `encoder` is what ENCODER says; `thread_counts` are for the engine auto.
    """
    if name == AUTO:
        return _auto(model_dir, encoder, thread_counts)
    if encoder in BACKENDS:
        return _combined(name, encoder, model_dir)
    return cast(Engine, _decoders(name, model_dir))


def _decoders(name: str, model_dir: Path | None) -> DecoderEngine:
    entry = ENGINES[name]
    return cast(DecoderEngine, _make(entry.engine, *[model_dir] if entry.converts else []))


def _backend(name: str, model_dir: Path | None) -> EncoderBackend:
    return cast(EncoderBackend, _make(ENCODERS[name], model_dir))


def _combined(name: str, encoder: str, model_dir: Path | None) -> Engine:
    from voice_transcriber.engines.encoders.combined import CombinedEngine

    decoders, backend = _decoders(name, model_dir), _backend(encoder, model_dir)
    return CombinedEngine(decoders, backend, engine=name, encoder=encoder)


def _auto(model_dir: Path | None, encoder: str, thread_counts: Sequence[int]) -> Engine:
    from voice_transcriber.engines.auto.engine import AutoEngine
    from voice_transcriber.engines.auto.workbench import Makers

    makers = Makers(
        engine=lambda name: _decoders(name, model_dir),
        encoder=lambda name: _backend(name, model_dir),
    )
    return AutoEngine(makers, model_dir, encoder=encoder, thread_counts=thread_counts)


def make_detector(name: str) -> VoiceDetector:
    return cast(VoiceDetector, _make(ENGINES[name].detector))


def _make(path: str, *arguments: object) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)(*arguments)
