"""From the decoder's output to the log-probabilities of the tokens that may come next.

The rules want to know whether all timestamps together are likelier than any word (whisper's
ApplyTimestampRules): these two parts of the vocabulary are computed apart. In half precision the
words' logits are too coarse to rank beams by; the best few are computed again in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from voice_transcriber.engines.torch_decoder.linear import make_linear
from voice_transcriber.engines.torch_decoder.network import DecoderNetwork
from voice_transcriber.engines.torch_decoder.rules import Allowed, Text, Vocabulary

_GROUP = 128  # tokens; the best of a row lie in the groups with the greatest maxima
_SPARE = 2  # a coarse logit may hide a better one behind it


@dataclass(frozen=True)
class Candidates:
    """The likeliest tokens of each row, best first; each (rows, count)."""

    tokens: Tensor
    logprobs: Tensor


@dataclass(frozen=True)
class Largest:
    """The tokens with the greatest logits of each row, best first; each (rows, count)."""

    tokens: Tensor
    logits: Tensor


class Scorer:
    """Scores the rows of one vocabulary."""

    def __init__(self, network: DecoderNetwork) -> None:
        self._embedding = network.embedding
        self._device = network.device
        self._is_coarse = network.dtype != torch.float32
        self._all = make_linear(self._embedding, None)
        self._exact_times: dict[int, Tensor] = {}

    def no_speech(self, hidden: Tensor, vocabulary: Vocabulary) -> list[float]:
        """Probability that a window holds no speech; hidden: (windows, state) at start of text."""
        probabilities = self._all(hidden).float().softmax(dim=-1)
        return [float(one) for one in probabilities[:, vocabulary.no_speech]]

    def among(self, hidden: Tensor, tokens: Sequence[int]) -> Tensor:
        """Probabilities among these tokens alone; (rows, tokens)."""
        return (hidden @ self._embedding[list(tokens)].float().T).softmax(dim=-1)

    def of_words(self, hidden: Tensor, tokens: Tensor, eot: int) -> Tensor:
        """Probability of one token for each row among the words, which end before `eot`."""
        words = self._all(hidden)[:, :eot].float().softmax(dim=-1)
        return words.gather(1, tokens[:, None])[:, 0]

    def best(
        self, hidden: Tensor, allowed: Sequence[Allowed], vocabulary: Vocabulary, *, count: int
    ) -> Candidates:
        """hidden: (rows, state)."""
        text, times = self._logits(hidden, allowed, vocabulary)
        words = largest(text, count + _SPARE)
        text_mass = log_of_sum(text, words.logits[:, :1])
        exact = words.logits
        if self._is_coarse:
            exact = self._exact(hidden, words)
            text_mass = with_exact(text_mass, words.logits, exact)
        times_mass = times.logsumexp(dim=-1)
        only_times = times_mass > exact.amax(dim=-1)
        mass = torch.where(only_times, times_mass, torch.logaddexp(text_mass, times_mass))
        exact = exact.masked_fill(only_times[:, None], -torch.inf)
        best_times = times.topk(min(count, times.shape[1]), dim=-1)
        logits = torch.cat([exact, best_times.values], dim=1)
        tokens = torch.cat([words.tokens, best_times.indices + vocabulary.timestamp_begin], dim=1)
        chosen = logits.topk(count, dim=-1)
        return Candidates(tokens.gather(1, chosen.indices), chosen.values - mass[:, None])

    def logits(self, hidden: Tensor, allowed: Sequence[Allowed], vocabulary: Vocabulary) -> Tensor:
        """Of the whole vocabulary, -inf where the rules forbid a token; (rows, vocabulary)."""
        text, times = self._logits(hidden, allowed, vocabulary)
        text = text.float()
        only_times = times.logsumexp(dim=-1) > text.amax(dim=-1)
        return torch.cat([text.masked_fill(only_times[:, None], -torch.inf), times], dim=1)

    def _logits(
        self, hidden: Tensor, allowed: Sequence[Allowed], vocabulary: Vocabulary
    ) -> tuple[Tensor, Tensor]:
        """Of words and marks, in the network's type, and of timestamps."""
        begin = vocabulary.timestamp_begin
        found = self._all(hidden)
        text = found[:, :begin]
        text[:, list(vocabulary.suppressed)] = -torch.inf
        for row, rule in enumerate(allowed):
            if rule.text is not Text.ALL:
                text[row, : vocabulary.eot if rule.text is Text.NO_WORDS else begin] = -torch.inf
        times = self._times(hidden, begin) if self._is_coarse else found[:, begin:]
        number = torch.arange(vocabulary.times, device=self._device)
        first = torch.tensor([rule.first_time for rule in allowed], device=self._device)
        last = torch.tensor([rule.last_time for rule in allowed], device=self._device)
        closed = (number < first[:, None]) | (number > last[:, None])
        return text, times.masked_fill(closed, -torch.inf)

    def _times(self, hidden: Tensor, begin: int) -> Tensor:
        if begin not in self._exact_times:
            self._exact_times[begin] = self._embedding[begin:].float()
        return functional.linear(hidden, self._exact_times[begin])

    def _exact(self, hidden: Tensor, words: Largest) -> Tensor:
        weights = self._embedding[words.tokens].float()  # (rows, count, state)
        exact = torch.bmm(weights, hidden[:, :, None])[:, :, 0]
        return exact.masked_fill(words.logits.isinf(), -torch.inf)


def largest(logits: Tensor, count: int) -> Largest:
    """As topk does, which is slow for rows of fifty thousand."""
    rows, width = logits.shape
    groups = width // _GROUP
    grouped = logits[:, : groups * _GROUP].view(rows, groups, _GROUP)
    best = grouped.amax(dim=2).topk(count, dim=1).indices  # (rows, count)
    members = grouped.gather(1, best[:, :, None].expand(-1, -1, _GROUP)).flatten(1)
    numbers = (best[:, :, None] * _GROUP + torch.arange(_GROUP, device=logits.device)).flatten(1)
    rest = torch.arange(groups * _GROUP, width, device=logits.device).expand(rows, -1)
    values = torch.cat([members, logits[:, groups * _GROUP :]], dim=1)
    tokens = torch.cat([numbers, rest], dim=1)
    chosen = values.topk(count, dim=1)
    return Largest(tokens.gather(1, chosen.indices), chosen.values.float())


def log_of_sum(logits: Tensor, largest: Tensor) -> Tensor:
    """Logarithm of the sum of exponentials; -inf for a row in which nothing is allowed."""
    shifted = logits - largest.nan_to_num(neginf=0.0).to(logits.dtype)
    return largest[:, 0] + shifted.exp_().sum(dim=-1, dtype=torch.float32).log()


def with_exact(mass: Tensor, coarse: Tensor, exact: Tensor) -> Tensor:
    """The logarithm of the sum of exponentials, when some of its terms are known better."""
    share_of_others = 1 - (coarse - mass[:, None]).exp().sum(dim=1)
    others = mass + share_of_others.clamp(min=0).log()
    return torch.logaddexp(others.nan_to_num(nan=-torch.inf), exact.logsumexp(dim=1))
