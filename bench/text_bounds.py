"""What a right text has to keep against whisper's own transcribe()."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bench.recordings import Recording
from bench.tables import Bound
from bench.words import Score, pooled_rate

MAX_POINTS_ABOVE = 1.0  # of word error rate, for a single file
MUST_BE_LOWER = ("en_12min.opus", "gaps_4min.opus")  # transcribe() loses sentences at borders


def text_bounds(
    recordings: Sequence[Recording], peers: Sequence[Score], ours: Sequence[Score]
) -> Iterator[Bound]:
    pairs = list(zip(recordings, peers, ours, strict=True))
    single = [(peer, our) for recording, peer, our in pairs if recording.language]
    if single:
        yield _pooled(single)
    spoken = [(peer, our) for recording, peer, our in pairs if recording.languages]
    yield from (_near(peer, our) for peer, our in spoken)
    yield from (_lower(peer, our) for peer, our in spoken if our.file in MUST_BE_LOWER)
    if pooled := _pooled_starts(single):
        yield pooled
    yield from (_language(recording, our) for recording, _, our in pairs if recording.languages)
    yield from (_empty(our) for recording, _, our in pairs if not recording.languages)


def _pooled(single: Sequence[tuple[Score, Score]]) -> Bound:
    theirs = pooled_rate(peer for peer, _ in single)
    rate = pooled_rate(our for _, our in single)
    return Bound(
        name="WER pooled over one-language files",
        measured=f"{rate:.2f} %",
        limit=f"<= {theirs:.2f} %",
        kept=rate <= theirs,
    )


def _near(peer: Score, our: Score) -> Bound:
    assert our.rate is not None
    assert peer.rate is not None
    limit = peer.rate + MAX_POINTS_ABOVE
    return Bound(
        name=f"WER {our.file}",
        measured=f"{our.rate:.2f} %",
        limit=f"<= {limit:.2f} %",
        kept=our.rate <= limit,
    )


def _lower(peer: Score, our: Score) -> Bound:
    assert our.rate is not None
    assert peer.rate is not None
    return Bound(
        name=f"WER {our.file}, lower",
        measured=f"{our.rate:.2f} %",
        limit=f"< {peer.rate:.2f} %",
        kept=our.rate < peer.rate,
    )


def _pooled_starts(single: Sequence[tuple[Score, Score]]) -> Bound | None:
    """At two decimals, half of whisper's own step of 0.02 s; None where starts are not known."""
    theirs = [distance for peer, _ in single for distance in peer.distances_s]
    found = [distance for _, our in single for distance in our.distances_s]
    if not theirs or not found:
        return None
    limits, measured = (np.percentile(one, [50, 90]) for one in (theirs, found))
    return Bound(
        name="starts over one-language files: median, p90",
        measured=seconds_text(*measured),
        limit=f"<= {seconds_text(*limits)}",
        kept=bool((measured.round(2) <= limits.round(2)).all()),
        detail=f"{len(found)} segments, whisper {len(theirs)}; at two decimals",
    )


def _language(recording: Recording, our: Score) -> Bound:
    return Bound(
        name=f"language {our.file}",
        measured=our.language or "none",
        limit=" or ".join(sorted(recording.languages)),
        kept=our.language in recording.languages,
    )


def _empty(our: Score) -> Bound:
    return Bound(
        name=f"no words {our.file}",
        measured=f"{our.errors:.0f} words",
        limit="0 words",
        kept=our.errors == 0 and our.found == 0,
    )


def seconds_text(median_s: float, p90_s: float) -> str:
    return f"{median_s:.3f}, {p90_s:.3f}"
