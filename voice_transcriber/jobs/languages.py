"""Which language is spoken, from the probabilities that the model gives to windows. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import log

from voice_transcriber.job import MAX_GAP, MAX_WINDOW, Window

Votes = Mapping[str, float]  # probability by language code

SWITCH_COST = 3.0  # how much likelier (natural logarithm) another language must be to change to it
_FLOOR = 1e-4  # no window is surer than that


def elected(votes: Sequence[Votes]) -> tuple[str, float]:
    """The language with the highest mean probability, and that probability."""
    mean = {code: sum(vote.get(code, 0.0) for vote in votes) / len(votes) for code in votes[0]}
    language = max(mean, key=mean.__getitem__)
    return language, round(mean[language], 4)


def languages_in_turn(votes: Sequence[Votes], *, before: str | None) -> list[str]:
    """The language of each window: the likeliest sequence, in which a change costs SWITCH_COST.

    Only languages that are the likeliest of some window come into question. So a short or
    unclear window keeps the language of its neighbours; `before` is that of the window before.
    """
    likeliest = {max(vote, key=vote.__getitem__) for vote in votes}
    candidates = sorted(likeliest if before is None else likeliest | {before})
    scores = {code: 0.0 if before in {None, code} else -SWITCH_COST for code in candidates}
    paths: dict[str, list[str]] = {code: [] for code in candidates}
    for vote in votes:
        best = max(candidates, key=scores.__getitem__)
        changed = scores[best] - SWITCH_COST
        paths = {
            code: [*paths[code if scores[code] >= changed else best], code] for code in candidates
        }
        scores = {
            code: max(scores[code], changed) + log(max(vote.get(code, 0.0), _FLOOR))
            for code in candidates
        }
    return paths[max(candidates, key=scores.__getitem__)]


def joined_windows(windows: Iterable[Window], languages: Sequence[str]) -> list[Window]:
    """Windows with their languages; neighbours of one language are one window, where that is not
    too long and no long silence parts them.
    """
    joined: list[Window] = []
    for window, language in zip(windows, languages, strict=True):
        window = replace(window, language=language)
        if joined and _are_joined(joined[-1], window):
            window = replace(window, start_sample=joined.pop().start_sample)
        joined.append(window)
    return joined


def _are_joined(window: Window, following: Window) -> bool:
    close = following.start_sample - window.end_sample <= MAX_GAP
    fits = following.end_sample - window.start_sample <= MAX_WINDOW
    have_speech = all(one.speech_end_sample > one.start_sample for one in (window, following))
    return close and fits and have_speech and window.language == following.language


def most_spoken(windows: Iterable[Window]) -> str | None:
    """The language of most seconds; None where no window has its own."""
    seconds: Counter[str] = Counter()
    for window in windows:
        if window.language is not None:
            seconds[window.language] += window.end_sample - window.start_sample
    return seconds.most_common(1)[0][0] if seconds else None
