"""The plan of one chunk for a server: as much in one request as it takes. In plain Python."""

from __future__ import annotations

from pathlib import Path

from voice_transcriber.engines.protocol import PlanReply, PlanRequest
from voice_transcriber.engines.remote.audio import (
    CUT_SEARCH,
    even_pieces,
    quiet_point,
    sounding_part,
)
from voice_transcriber.engines.stopwatch import Stopwatch
from voice_transcriber.job import SAMPLE_RATE

LANGUAGE_PIECE = 10 * SAMPLE_RATE  # the server is asked for the language of each


def plan_chunk(request: PlanRequest, *, max_chunk: int, max_window: int) -> PlanReply:
    """Cut at a quiet point; the silence at both ends is not sent, unless vad_filter is off.

    The server finds the speech in the rest, and levels it: no gain is chosen here.
    """
    watch = Stopwatch()
    pcm = Path(request.pcm)
    with watch.stage("plan"):
        end = _end(pcm, request, max_chunk)
        part = sounding_part(pcm, request.start, end) if request.vad_filter else None
        if part is None and not request.vad_filter:
            part = (request.start, end)
        limit = min(LANGUAGE_PIECE, max_window) if request.by_language else max_window
        windows = list(even_pieces(pcm, *part, limit=limit)) if part else []
    return PlanReply(
        end=end,
        gain=1.0,
        windows=[(first, last, last) for first, last in windows],
        stages_s=watch.stages_s,
    )


def _end(pcm: Path, request: PlanRequest, max_chunk: int) -> int:
    last = min(request.limit, request.start + max_chunk)
    if request.is_last and last == request.limit:
        return last
    first = max(request.start + (last - request.start) // 2, last - 2 * CUT_SEARCH)
    return quiet_point(pcm, first, last)
