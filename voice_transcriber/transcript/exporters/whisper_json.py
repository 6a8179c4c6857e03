"""JSON in the shape of openai-whisper's `transcribe()`: times in seconds."""

from __future__ import annotations

from typing import Any

from voice_transcriber.transcript.exporters.export import Export
from voice_transcriber.transcript.exporters.json_text import json_text
from voice_transcriber.transcript.model import Segment, Word


def render(export: Export) -> str:
    segments = export.transcript.segments
    return json_text(
        {
            "text": "".join(segment.text for segment in segments),
            "segments": [_segment(number, segment) for number, segment in enumerate(segments)],
            "language": export.transcript.language,
        }
    )


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    language = {} if segment.language is None else {"language": segment.language}
    words = {} if segment.words is None else {"words": [_word(word) for word in segment.words]}
    return {
        "id": number,
        "seek": segment.start_ms // 10,  # in frames of 10 ms; the window's place is not kept
        "start": segment.start_ms / 1000,
        "end": segment.end_ms / 1000,
        "text": segment.text,
        "tokens": list(segment.tokens),
        "temperature": segment.temperature,
        "avg_logprob": segment.avg_logprob,
        "compression_ratio": segment.compression_ratio,
        "no_speech_prob": segment.no_speech_prob,
        **language,
        **words,
    }


def _word(word: Word) -> dict[str, Any]:
    return {
        "word": word.text,
        "start": word.start_ms / 1000,
        "end": word.end_ms / 1000,
        "probability": word.probability,
    }
