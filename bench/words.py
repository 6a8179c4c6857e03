"""How right a text is: word errors, and how far the segments' starts are from the truth."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import jiwer
import numpy as np

from bench.reading import Reading
from bench.recordings import Recording


@dataclass(frozen=True, kw_only=True)
class Score:
    """One reading against the truth. Counts of words; a published score knows only the rate."""

    file: str
    words: int
    errors: float
    found: int
    true: int
    median_s: float | None  # of the distances of found starts from the nearest true ones
    p90_s: float | None
    distances_s: Sequence[float] = ()
    counts: tuple[int, int, int] | None = None  # substitutions, deletions, insertions
    language: str | None = None
    wall_s: float | None = None

    @property
    def rate(self) -> float | None:
        """Word error rate in percent; None where nobody speaks."""
        return 100 * self.errors / self.words if self.words else None


def normalised(text: str) -> list[str]:
    """Words in lower case without punctuation."""
    return re.sub(r"[^\w\s]|_", "", text.lower()).split()


def score(recording: Recording, reading: Reading) -> Score:
    truth, heard = normalised(recording.text), normalised(reading.text)
    counts = _counts(truth, heard)
    blank = Score(
        file=recording.name,
        words=len(truth),
        errors=sum(counts),
        counts=counts,
        found=len(reading.starts_s),
        true=len(recording.starts_s),
        median_s=None,
        p90_s=None,
        language=reading.language,
        wall_s=reading.wall_s,
    )
    distances = start_distances(reading.starts_s, recording.starts_s)
    if not distances:
        return blank
    median_s, p90_s = np.percentile(distances, [50, 90])
    return replace(
        blank, median_s=float(median_s), p90_s=float(p90_s), distances_s=tuple(distances)
    )


def start_distances(found_s: Sequence[float], true_s: Sequence[float]) -> list[float]:
    if not found_s or not true_s:
        return []
    return [float(np.abs(np.asarray(true_s) - start).min()) for start in found_s]


def pooled_rate(scores: Iterable[Score]) -> float:
    """Percent of the words of all files together."""
    scores = list(scores)
    return 100 * sum(one.errors for one in scores) / sum(one.words for one in scores)


def differing_words(first: str, second: str) -> float:
    """Percent of the first text's words that are different in the second."""
    words = normalised(first)
    return 100 * sum(_counts(words, normalised(second))) / max(1, len(words))


def alignment(recording: Recording, reading: Reading) -> str:
    """The places where truth and reading differ, with the words around them."""
    truth, heard = normalised(recording.text), normalised(reading.text)
    if not truth:
        return f"heard: {' '.join(heard)}" if heard else ""
    (chunks,) = jiwer.process_words([" ".join(truth)], [" ".join(heard)]).alignments
    lines = []
    for chunk in chunks:
        if chunk.type == "equal":
            continue
        before = truth[max(0, chunk.ref_start_idx - 4) : chunk.ref_start_idx]
        true_part = truth[chunk.ref_start_idx : chunk.ref_end_idx]
        heard_part = heard[chunk.hyp_start_idx : chunk.hyp_end_idx]
        after = truth[chunk.ref_end_idx : chunk.ref_end_idx + 3]
        lines.append(
            f"  {chunk.type:10} word {chunk.ref_start_idx}: {' '.join(before)} "
            f"[{' '.join(true_part)} -> {' '.join(heard_part)}] {' '.join(after)}"
        )
    return "\n".join(lines)


def _counts(truth: Sequence[str], heard: Sequence[str]) -> tuple[int, int, int]:
    """Substitutions, deletions, insertions."""
    if not truth:
        return (0, 0, len(heard))
    found = jiwer.process_words([" ".join(truth)], [" ".join(heard)])
    return (found.substitutions, found.deletions, found.insertions)
