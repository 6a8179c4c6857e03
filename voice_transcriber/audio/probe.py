"""What a media file says of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Read from the header, which may lie: a figure for people and plans, never a limit."""

    duration_s: float | None  # None when the header does not say
    container: str  # FFmpeg's name of the format, such as "mov,mp4,m4a,3gp,3g2,mj2"
    codec: str  # FFmpeg's name of the audio codec, such as "aac"
    sample_rate_hz: int
    channels: int
    has_video: bool  # moving pictures; a cover picture does not count
