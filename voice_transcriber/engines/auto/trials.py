"""From candidates to a choice: the fastest combination whose text is right, and its threads."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from voice_transcriber.engines.auto.choosing import Combination, is_near, ranked
from voice_transcriber.engines.auto.measuring import Measuring, NotNow, Opener
from voice_transcriber.engines.auto.parts import unmeasured
from voice_transcriber.engines.auto.records import Choice, Figure, Parts
from voice_transcriber.engines.encoders.installed import OWN
from voice_transcriber.errors import InternalError

log = logging.getLogger(__name__)

WORTH_IT = 0.95  # another count of threads is taken when it needs so much of the time at most


@dataclass(frozen=True)
class _Winner:
    combination: Combination
    seconds: float  # for 30 s of speech, measured as a whole
    rejected: Sequence[str]  # what would be faster, and why it is not taken


def choose(measuring: Measuring, opener: Opener, parts: Parts) -> tuple[Choice, Sequence[Figure]]:
    """Raises the error of the last candidate where none can be used."""
    if only := _only(parts):
        return only, []
    try:
        return _measured(measuring, opener, parts)
    except NotNow as why:
        return unmeasured(parts, str(why)), []


def _measured(
    measuring: Measuring, opener: Opener, parts: Parts
) -> tuple[Choice, Sequence[Figure]]:
    torch.set_num_threads(parts.threads[0])
    figures = measuring.figures(parts)
    order = ranked(figures, parts.encoders)
    if not order:
        raise measuring.fault or InternalError("No candidate could be measured.")
    winner = _tried(measuring, opener, order)
    threads = _threads(measuring, opener, parts.threads, winner)
    combination = winner.combination
    choice = Choice(
        decoder=combination.decoder,
        encoder=combination.encoder,
        threads=threads,
        reason=_reason(winner, order, threads),
    )
    return choice, figures


def _only(parts: Parts) -> Choice | None:
    if any(len(some) != 1 for some in (parts.decoders, parts.encoders, parts.threads)):
        return None
    return Choice(
        decoder=parts.decoders[0],
        encoder=parts.encoders[0],
        threads=parts.threads[0],
        reason="The settings leave nothing to choose.",
    )


def _tried(measuring: Measuring, opener: Opener, order: Sequence[Combination]) -> _Winner:
    """Each part's text was near enough; whether both together are is tried on the fastest ones.

    Where none of them is, the fastest stays: the settings leave no better one. When the time is
    over, the fastest one that was heard by its engine's own encoder is taken untried.
    """
    tried: list[tuple[Combination, float]] = []
    rejected: list[str] = []
    for one in order:
        if tried and not measuring.has_time_for_trials:
            if one.encoder != OWN:
                continue
            return _Winner(one, one.seconds, rejected)
        seconds, differing = measuring.trial(opener.combined(one.decoder, one.encoder))
        tried.append((one, seconds))
        if is_near(differing):
            return _Winner(one, seconds, rejected)
        rejected.append(f"{one.name} is faster and writes {differing:.1f} % other words")
        log.warning("%s writes %.1f %% other words.", one.name, differing)
    return _Winner(*tried[0], rejected)


def _threads(measuring: Measuring, opener: Opener, counts: Sequence[int], winner: _Winner) -> int:
    best, best_s = counts[0], winner.seconds
    for count in counts[1:]:
        if not measuring.has_time_for_trials:
            break
        torch.set_num_threads(count)
        combination = winner.combination
        model = opener.combined(combination.decoder, combination.encoder)
        seconds, _ = measuring.trial(model)
        if seconds < WORTH_IT * best_s:
            best, best_s = count, seconds
    return best


def _reason(winner: _Winner, order: Sequence[Combination], threads: int) -> str:
    combination = winner.combination
    others = [one for one in order if one.seconds > combination.seconds]
    parts = [
        f"{combination.name} needs {combination.seconds:.2f} s for 30 s of speech "
        f"({threads} {'thread' if threads == 1 else 'threads'})"
    ]
    if others:
        parts.append(f"the next is {others[0].name} with {others[0].seconds:.2f} s")
    return "; ".join([*parts, *winner.rejected]) + "."
