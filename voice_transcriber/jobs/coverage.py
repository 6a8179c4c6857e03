"""How much of a job is done: pure figures over its plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from voice_transcriber.job import Chunk, ChunkStatus, Window, WindowStatus
from voice_transcriber.transcript.model import Segment

TAIL_CHARACTERS = 240
_TAIL_WINDOWS = 4


def percent_done(
    chunks: Iterable[Chunk], windows: Iterable[Window], *, total_samples: int
) -> float:
    """Share of the audio whose windows are done; silence of a planned chunk counts as done."""
    by_chunk: dict[int, list[Window]] = {}
    for window in windows:
        by_chunk.setdefault(window.chunk_index, []).append(window)
    covered = sum(
        (chunk.end_sample - chunk.start_sample)
        * chunk_fraction(chunk, by_chunk.get(chunk.index, []))
        for chunk in chunks
    )
    return min(100.0, 100.0 * covered / total_samples) if total_samples else 0.0


def chunk_fraction(chunk: Chunk, windows: Sequence[Window]) -> float:
    """0..1 of a chunk's speech that is finished; what has failed counts as finished."""
    if not chunk.is_planned and chunk.error is None:
        return 0.0
    total = sum(window.length_s for window in windows)
    if not total:
        return 1.0
    return sum(one.length_s for one in windows if one.status != WindowStatus.PENDING) / total


def chunk_status(chunk: Chunk, windows: Sequence[Window], *, is_running: bool) -> ChunkStatus:
    """`is_running`: of its job."""
    if not chunk.is_planned and chunk.error is None:
        return ChunkStatus.PLANNING if is_running else ChunkStatus.WAITING
    if not chunk.is_planned:
        return ChunkStatus.FAILED
    statuses = {window.status for window in windows}
    if WindowStatus.PENDING in statuses:
        return ChunkStatus.WAITING if len(statuses) == 1 else ChunkStatus.TRANSCRIBING
    return ChunkStatus.FAILED if WindowStatus.FAILED in statuses else ChunkStatus.DONE


def text_tail(segments_by_start: Mapping[int, Sequence[Segment]]) -> str:
    """The newest words in time order, for lists."""
    newest = list(islice(sorted(segments_by_start, reverse=True), _TAIL_WINDOWS))
    text = "".join(
        segment.text for start in reversed(newest) for segment in segments_by_start[start]
    ).strip()
    return text if len(text) <= TAIL_CHARACTERS else "…" + text[-TAIL_CHARACTERS:]
