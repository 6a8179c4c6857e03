"""Which part of a media file is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from voice_transcriber.job import SAMPLE_RATE, TranscribeOptions


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A stretch of one sound track; all of the first one when nothing is said."""

    from_s: float = 0.0
    to_s: float | None = None
    track: int | None = None  # from 0, among the sound tracks; None: the first that can be read

    @classmethod
    def of(cls, options: TranscribeOptions) -> Selection:
        return cls(from_s=options.from_s, to_s=options.to_s, track=options.audio_track)

    @property
    def start_sample(self) -> int:
        return round(self.from_s * SAMPLE_RATE)

    @property
    def end_sample(self) -> int | None:
        return None if self.to_s is None else round(self.to_s * SAMPLE_RATE)

    def length_s(self, duration_s: float | None) -> float | None:
        """Seconds that are decoded of a recording of `duration_s`, at most; None: not known."""
        ends_s = [end_s for end_s in (duration_s, self.to_s) if end_s is not None]
        return max(0.0, min(ends_s) - self.from_s) if ends_s else None
