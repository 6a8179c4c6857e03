"""The plan of one chunk: where it ends, how loud it is, where its windows lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from voice_transcriber.audio.chunk import WindowRange, fixed_windows, windows_from_spans
from voice_transcriber.audio.pcm import read_samples
from voice_transcriber.audio.vad import speech_spans
from voice_transcriber.engines.base import Samples, VoiceDetector
from voice_transcriber.engines.protocol import PlanReply, PlanRequest
from voice_transcriber.engines.stopwatch import Stopwatch
from voice_transcriber.job import SAMPLE_RATE


def plan_chunk(request: PlanRequest, detector: VoiceDetector) -> PlanReply:
    """Cut at a quiet point, then find the windows of speech; samples of the whole file."""
    watch = Stopwatch()
    end = request.limit if request.is_last else _cut(request)
    samples = read_samples(Path(request.pcm), request.start, end)
    gain = _gain(samples) if request.level else 1.0
    if gain != 1.0:
        samples = read_samples(Path(request.pcm), request.start, end, gain=gain)
    with watch.stage("vad"):
        windows = _windows(samples, detector, vad_filter=request.vad_filter)
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
    samples: Samples, detector: VoiceDetector, *, vad_filter: bool
) -> Sequence[WindowRange]:
    if not vad_filter:
        return fixed_windows(length=len(samples))
    probabilities = detector.probabilities(samples)
    return windows_from_spans(speech_spans(probabilities), probabilities, length=len(samples))


def _cut(request: PlanRequest) -> int:
    # librosa takes a second to import; short files never need it.
    from voice_transcriber.audio.level import CUT_SEARCH_S, quietest_point

    search_start = max(
        request.start + (request.limit - request.start) // 2,
        request.limit - CUT_SEARCH_S * SAMPLE_RATE,
    )
    samples = read_samples(Path(request.pcm), search_start, request.limit)
    return search_start + quietest_point(samples)


def _gain(samples: Samples) -> float:
    from voice_transcriber.audio.level import leveling_gain

    return leveling_gain(samples) if len(samples) else 1.0
