"""openai-whisper's own transcribe() with the shipped checkpoint: measured here, or as published."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import whisper

from bench.reading import Reading
from bench.recordings import Recording, read_samples
from bench.words import Score, normalised
from voice_transcriber.engines.openai_whisper import set_alignment_heads

# Word error rate in percent, segments found, median and 90th percentile of the starts' distance
# in seconds, as they came with the checkpoint. es_1min draws lots: 3.1 to 5.0.
_PUBLISHED: dict[str, tuple[float, int, float | None, float | None]] = {
    "en_5s.wav": (0.0, 2, 0.02, 0.02),
    "en_30s.flac": (1.1, 12, 0.02, 0.03),
    "en_5min.opus": (1.0, 107, 0.01, 0.02),
    "en_12min.opus": (3.2, 267, 0.01, 0.02),
    "noisy_1min.flac": (0.6, 21, 0.01, 0.03),
    "quiet_1min.flac": (0.6, 20, 0.01, 0.02),
    "es_1min.flac": (3.1, 21, 0.02, 0.04),
    "de_1min.flac": (0.6, 20, 0.01, 0.02),
    "gaps_4min.opus": (6.1, 56, 0.01, 0.03),
    "mixed_3min.opus": (63.7, 65, 0.01, 0.02),
    "silence_60s.flac": (0.0, 0, None, None),
    "noise_60s.flac": (0.0, 0, None, None),
}


class WhisperTranscribe:
    """The peer: no conditioning, language given where the recording has one."""

    def __init__(self, checkpoint: Path, *, beam_size: int = 5) -> None:
        self._beam_size = beam_size if beam_size > 1 else None  # None: greedy
        self._network = whisper.load_model(str(checkpoint), device="cpu")
        set_alignment_heads(self._network, checkpoint, checkpoint.stem)

    def read(self, recording: Recording, **options: Any) -> Reading:
        samples = read_samples(recording.path)
        started = time.monotonic()
        result = self._transcribed(samples, recording.language, **options)
        spoken = [one for one in result["segments"] if one["text"].strip()]
        worded = [one["words"] for one in spoken if one.get("words")]
        return Reading(
            text=result["text"],
            starts_s=[one["start"] for one in spoken],
            language=result["language"],
            wall_s=time.monotonic() - started,
            first_words_s=[words[0]["start"] for words in worded],
            last_words_s=[words[-1]["end"] for words in worded],
        )

    def text(self, path: Path, *, language: str | None) -> str:
        return str(self._transcribed(read_samples(path), language)["text"])

    def _transcribed(
        self, samples: npt.NDArray[np.float32], language: str | None, **options: Any
    ) -> dict[str, Any]:
        torch.manual_seed(0)  # the temperature fallback draws lots
        found: dict[str, Any] = self._network.transcribe(
            samples,
            language=language,
            beam_size=self._beam_size,
            best_of=5,
            condition_on_previous_text=False,
            fp16=False,
            **options,
        )
        return found


def published_score(recording: Recording) -> Score:
    rate, found, median_s, p90_s = _PUBLISHED[recording.name]
    words = len(normalised(recording.text))
    return Score(
        file=recording.name,
        words=words,
        errors=rate * words / 100,
        found=found,
        true=len(recording.starts_s),
        median_s=median_s,
        p90_s=p90_s,
    )
