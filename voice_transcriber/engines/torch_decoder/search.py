"""How the next tokens of a window's beams are chosen. Source: whisper/decoding.py,
BeamSearchDecoder, GreedyDecoder and MaximumLikelihoodRanker.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from voice_transcriber.engines.torch_decoder.rules import Vocabulary
from voice_transcriber.engines.torch_decoder.scoring import Scorer


@dataclass(frozen=True)
class Beam:
    """A text in the making, with the sum of its log-probabilities; `parent` is its former row."""

    tokens: tuple[int, ...] = ()
    score: float = 0.0
    parent: int = 0
    is_ended: bool = False

    def then(self, token: int, logprob: float, *, parent: int) -> Beam:
        return Beam((*self.tokens, token), self.score + logprob, parent)

    def ended(self, logprob: float = 0.0) -> Beam:
        """The end of the text counts in the score, not as a token."""
        return Beam(self.tokens, self.score + logprob, self.parent, is_ended=True)


@dataclass
class WindowSearch:
    """The state of one window: at first a single empty beam."""

    index: int  # in the batch as it was given
    beams: list[Beam] = field(default_factory=lambda: [Beam()])
    ended: list[Beam] = field(default_factory=list)
    is_done: bool = False

    def best(self) -> Beam:
        """The one with the best mean; texts that did not end fill up the field."""
        rest = sorted(self.beams, key=lambda beam: beam.score, reverse=True)
        field_size = max(len(self.beams), 1)
        candidates = [*self.ended, *rest[: max(0, field_size - len(self.ended))]]
        return max(candidates, key=lambda beam: beam.score / max(len(beam.tokens), 1))


class Search(Protocol):
    """Goes one step forward with all windows."""

    beams: int

    def advance(self, hidden: Tensor, windows: Sequence[WindowSearch]) -> None:
        """hidden: (windows, beams so far, state)."""
        ...


class BeamSearch:
    """With one beam: the likeliest token at each step."""

    def __init__(self, scorer: Scorer, vocabulary: Vocabulary, *, beams: int) -> None:
        self._scorer = scorer
        self._vocabulary = vocabulary
        self.beams = beams

    def advance(self, hidden: Tensor, windows: Sequence[WindowSearch]) -> None:
        allowed = [
            self._vocabulary.allowed_after(beam.tokens) for one in windows for beam in one.beams
        ]
        found = self._scorer.best(
            hidden.flatten(0, 1), allowed, self._vocabulary, count=self.beams + 1
        )
        tokens, logprobs = found.tokens.tolist(), found.logprobs.tolist()
        row = 0
        for window in windows:
            rows = slice(row, row := row + len(window.beams))
            self._advance(window, tokens[rows], logprobs[rows])

    def _advance(
        self, window: WindowSearch, tokens: list[list[int]], logprobs: list[list[float]]
    ) -> None:
        candidates = [
            (beam.score + logprob, parent, token, logprob)
            for parent, beam in enumerate(window.beams)
            for token, logprob in zip(tokens[parent], logprobs[parent], strict=True)
        ]
        candidates.sort(key=lambda one: one[0], reverse=True)
        going_on: list[Beam] = []
        for _, parent, token, logprob in candidates:
            beam = window.beams[parent]
            if token != self._vocabulary.eot:
                going_on.append(beam.then(token, logprob, parent=parent))
            elif len(window.ended) < self.beams:
                window.ended.append(beam.ended(logprob))
            if len(going_on) == self.beams:
                break
        window.beams = going_on
        window.is_done = len(window.ended) == self.beams


class Sampling:
    """Draws each token at a temperature; a window's lots do not depend on the others."""

    def __init__(
        self, scorer: Scorer, vocabulary: Vocabulary, *, samples: int, temperature: float
    ) -> None:
        self._scorer = scorer
        self._vocabulary = vocabulary
        self._temperature = temperature
        self._lots: dict[int, random.Random] = {}
        self.beams = samples

    def advance(self, hidden: Tensor, windows: Sequence[WindowSearch]) -> None:
        rows = [(one, parent) for one in windows for parent in range(len(one.beams))]
        allowed = [self._vocabulary.allowed_after(one.beams[row].tokens) for one, row in rows]
        logits = self._scorer.logits(hidden.flatten(0, 1), allowed, self._vocabulary)
        logprobs = logits.log_softmax(dim=-1)
        levels = (logits / self._temperature).softmax(dim=-1).cumsum(dim=-1)
        row = 0
        for window in windows:
            rows_of = slice(row, row := row + len(window.beams))
            self._advance(window, levels[rows_of], logprobs[rows_of])

    def _advance(self, window: WindowSearch, levels: Tensor, logprobs: Tensor) -> None:
        lots = self._lots.setdefault(window.index, random.Random(round(self._temperature * 1000)))
        beams = []
        for sample in range(self.beams):
            parent = min(sample, len(window.beams) - 1)
            beam = window.beams[parent]
            if beam.is_ended:
                beams.append(Beam(beam.tokens, beam.score, parent, is_ended=True))
                continue
            lot = levels.new_tensor([lots.random()]) * levels[parent, -1]
            token = int(
                torch.searchsorted(levels[parent], lot, right=True).clamp(max=levels.shape[1] - 1)
            )
            logprob = float(logprobs[parent, token])
            if token == self._vocabulary.eot:
                beams.append(Beam(beam.tokens, beam.score + logprob, parent, is_ended=True))
            else:
                beams.append(beam.then(token, logprob, parent=parent))
        window.beams = beams
        window.is_done = all(beam.is_ended for beam in beams)
