"""How long the chunks of a job are. Pure: every choice comes with its reason."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_S = 120.0  # at least four windows: three vote for the language, several fill a batch
CUT_S = 30.0  # a chunk is cut before its last window, so it may be so much shorter
LEAST_HALVED_S = 30.0  # one window: nothing shorter needs less memory


@dataclass(frozen=True)
class ChunkSize:
    """The length of the chunks that are planned from now on, and why it is so."""

    seconds: float
    reason: str

    def halved(self, reason: str) -> ChunkSize:
        """Half of it, because what is asked for was too much; no shorter than one window."""
        if self.seconds <= LEAST_HALVED_S:
            return self
        return ChunkSize(max(self.seconds / 2, LEAST_HALVED_S), reason)


def chosen(
    *,
    largest_s: float,
    parallel: int,
    duration_s: float | None,
    max_bytes: int | None = None,
    bytes_per_s: float = 0.0,
) -> ChunkSize:
    """The size to begin with: `largest_s`, or less where there is a reason.

    `parallel`: chunks that go side by side. `duration_s`: of what is to be transcribed; None when
    the file does not tell. `max_bytes`: what a server takes in one request, at `bytes_per_s`.
    """
    sizes = [ChunkSize(largest_s, "AUDIO_CHUNK_SIZE")]
    if duration_s is not None and parallel > 1:
        share_s = max(duration_s / parallel + CUT_S, LEAST_S)
        sizes.append(ChunkSize(share_s, f"{duration_s:.0f} s of audio, {parallel} side by side"))
    if max_bytes is not None:
        sizes.append(ChunkSize(max_bytes / bytes_per_s, f"the server takes {max_bytes} bytes"))
    return min(sizes, key=lambda size: size.seconds)
