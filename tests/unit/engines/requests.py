"""Requests to an engine, with what a test does not care about filled in."""

from __future__ import annotations

from typing import Any

from voice_transcriber.engines.protocol import WindowRequest
from voice_transcriber.job import SAMPLE_RATE, Priority


def window_request(**changes: Any) -> WindowRequest:
    values: dict[str, Any] = {
        "pcm": "audio.pcm",
        "model": "demo",
        "checkpoint": "/models/demo.pt",
        "gain": 1.0,
        "start": 0,
        "end": 10 * SAMPLE_RATE,
        "speech_end": 10 * SAMPLE_RATE,
        "vad_filter": True,
        "language": "en",
        "task": "transcribe",
        "prompt": None,
        "hotwords": None,
        "word_timestamps": False,
        "priority": Priority.NORMAL.value,
    }
    return WindowRequest(**values | changes)
