"""The plan of one chunk: where it ends, how loud it is, where its windows lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from voice_transcriber.audio.chunk import (
    MAX_SPEECH,
    WindowRange,
    closed,
    windows_from_spans,
    with_all_between,
)
from voice_transcriber.audio.level import leveling_gain, quietest_point
from voice_transcriber.audio.pcm import read_samples
from voice_transcriber.audio.vad import FRAME_SAMPLES, Probabilities, speech_spans
from voice_transcriber.engines.base import Samples, VoiceDetector
from voice_transcriber.engines.protocol import PlanReply, PlanRequest
from voice_transcriber.engines.stopwatch import Stopwatch
from voice_transcriber.job import SAMPLE_RATE

RUN_IN = 125 * FRAME_SAMPLES  # 4 s that the detector hears before a chunk, to be in the picture
MAX_LANGUAGE_PIECE = 3 * SAMPLE_RATE  # longer pieces more often hold a change of language


def plan_chunk(request: PlanRequest, detector: VoiceDetector) -> PlanReply:
    """Find the windows of speech, and end the chunk between two; samples of the whole file."""
    watch = Stopwatch()
    # The detector's frames are those of the whole file, so that a chunk changes no window.
    origin = request.start // FRAME_SAMPLES * FRAME_SAMPLES
    run_in = min(RUN_IN, origin)
    heard = read_samples(Path(request.pcm), origin - run_in, request.limit)
    gain = _gain(heard[run_in:]) if request.level else 1.0
    heard *= gain
    np.clip(heard, -1.0, 1.0, out=heard)
    with watch.stage("vad"):
        probabilities = detector.probabilities(heard)[run_in // FRAME_SAMPLES :]
        windows, length = _windows(heard[run_in:], probabilities, request)
    return PlanReply(
        end=origin + length,
        gain=gain,
        windows=[
            (max(origin + one.start, request.start), origin + one.end, origin + one.speech_end)
            for one in windows
            if origin + one.end > request.start
        ],
        stages_s=watch.stages_s,
    )


def _windows(
    samples: Samples, probabilities: Probabilities, request: PlanRequest
) -> tuple[Sequence[WindowRange], int]:
    """The windows, and where the chunk ends, in samples."""

    def quietest(first: int, last: int) -> int:
        return first + quietest_point(samples[first:last])

    spans = speech_spans(probabilities)
    limit = MAX_LANGUAGE_PIECE if request.by_language else MAX_SPEECH
    length = len(samples)
    windows = windows_from_spans(
        spans, probabilities, length=length, limit=limit, is_first=request.start == 0
    )
    if not request.is_last:
        windows, length = closed(windows, length=length, quietest=quietest)
    if not request.vad_filter:
        windows = with_all_between(windows, length=length, quietest=quietest)
    return windows, length


def _gain(samples: Samples) -> float:
    return leveling_gain(samples) if len(samples) else 1.0
