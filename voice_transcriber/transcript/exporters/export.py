"""What a renderer is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from voice_transcriber.transcript.exporters.cues import Cue, cues_of
from voice_transcriber.transcript.exporters.options import ExportOptions
from voice_transcriber.transcript.model import Segment, Transcript


@dataclass(frozen=True)
class Export:
    """A transcript, cut to the range that is wanted, with the options of the rendering."""

    transcript: Transcript
    options: ExportOptions
    title: str

    @cached_property
    def cues(self) -> tuple[Cue, ...]:
        return cues_of(
            self.transcript.segments, self.options, duration_ms=self.transcript.duration_ms
        )

    def shows_times(self, *, usually: bool) -> bool:
        return usually if self.options.times is None else self.options.times


def within_range(transcript: Transcript, options: ExportOptions) -> Transcript:
    """Only the segments that are heard, if only in part, in the range; times stay as they are."""
    kept = (segment for segment in transcript.segments if _is_heard(segment, options))
    return replace(transcript, segments=tuple(kept))


def _is_heard(segment: Segment, options: ExportOptions) -> bool:
    end_ms = max(segment.end_ms, segment.start_ms + 1)
    return segment.start_ms < options.to_ms and end_ms > options.from_ms
