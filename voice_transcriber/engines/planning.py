"""The plan of one chunk: where it ends, how loud it is, where its windows lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from voice_transcriber.audio.chunk import (
    MAX_SPEECH,
    WindowRange,
    windows_from_spans,
    with_all_between,
)
from voice_transcriber.audio.level import CUT_SEARCH_S, leveling_gain, quietest_point
from voice_transcriber.audio.pcm import read_samples
from voice_transcriber.audio.vad import speech_spans
from voice_transcriber.engines.base import Samples, VoiceDetector
from voice_transcriber.engines.protocol import PlanReply, PlanRequest
from voice_transcriber.engines.stopwatch import Stopwatch
from voice_transcriber.job import SAMPLE_RATE

MAX_LANGUAGE_PIECE = 3 * SAMPLE_RATE  # longer pieces more often hold a change of language


def plan_chunk(request: PlanRequest, detector: VoiceDetector) -> PlanReply:
    """Cut at a quiet point, then find the windows of speech; samples of the whole file."""
    watch = Stopwatch()
    end = request.limit if request.is_last else _cut(request)
    samples = read_samples(Path(request.pcm), request.start, end)
    gain = _gain(samples) if request.level else 1.0
    if gain != 1.0:
        samples = read_samples(Path(request.pcm), request.start, end, gain=gain)
    with watch.stage("vad"):
        windows = _windows(samples, detector, request)
    return PlanReply(
        end=end,
        gain=gain,
        windows=[
            (request.start + one.start, request.start + one.end, request.start + one.speech_end)
            for one in windows
        ],
        stages_s=watch.stages_s,
    )


def _windows(
    samples: Samples, detector: VoiceDetector, request: PlanRequest
) -> Sequence[WindowRange]:
    probabilities = detector.probabilities(samples)
    spans = speech_spans(probabilities)
    limit = MAX_LANGUAGE_PIECE if request.by_language else MAX_SPEECH
    windows = windows_from_spans(spans, probabilities, length=len(samples), limit=limit)
    if request.vad_filter:
        return windows
    return with_all_between(
        windows,
        length=len(samples),
        quietest=lambda first, last: first + quietest_point(samples[first:last]),
    )


def _cut(request: PlanRequest) -> int:
    search_start = max(
        request.start + (request.limit - request.start) // 2,
        request.limit - CUT_SEARCH_S * SAMPLE_RATE,
    )
    samples = read_samples(Path(request.pcm), search_start, request.limit)
    return search_start + quietest_point(samples)


def _gain(samples: Samples) -> float:
    return leveling_gain(samples) if len(samples) else 1.0
