"""Decodes a batch of windows: every window leaves it as soon as its text is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from voice_transcriber.engines.torch_decoder.alignment import Alignment, time_path
from voice_transcriber.engines.torch_decoder.memory import AudioMemory, TextMemory
from voice_transcriber.engines.torch_decoder.network import DecoderNetwork
from voice_transcriber.engines.torch_decoder.rules import Vocabulary
from voice_transcriber.engines.torch_decoder.scoring import Scorer
from voice_transcriber.engines.torch_decoder.search import (
    Beam,
    BeamSearch,
    Sampling,
    Search,
    WindowSearch,
)
from voice_transcriber.engines.torch_decoder.thinning import thinned

_FORGET_EVERY = 16  # steps


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    beam_size: int  # used at temperature 0
    best_of: int  # used above temperature 0
    temperature: float


@dataclass(frozen=True, kw_only=True)
class Found:
    """The text of one window: tokens with timestamps, without the end."""

    tokens: tuple[int, ...]
    avg_logprob: float
    no_speech_prob: float


class BatchDecoder:
    """Whisper's decoding for several windows with beams or samples."""

    def __init__(self, network: DecoderNetwork, *, context: int) -> None:
        """`context` is the number of tokens that the decoder can read (448)."""
        self._network = network
        self._context = context
        self._scorer = Scorer(network)

    @torch.inference_mode()
    def decode(
        self,
        features: Tensor,
        prefix: Sequence[int],
        *,
        start: int,
        vocabulary: Vocabulary,
        options: SearchOptions,
        heard: Sequence[int],
        between_steps: Callable[[], None] | None = None,
    ) -> list[Found]:
        """features: (windows, frames, state); `prefix` stands before the text, and its token
        number `start` is the start of transcript. `heard`: how many frames of each window have
        sound. `between_steps` may decode another batch.
        """
        search = self._search(vocabulary, options)
        fewer, log_counts = thinned(features, heard)
        batch = _Batch(self._network, fewer, log_counts, prefix=len(prefix), beams=search.beams)
        hidden = batch.read_prefix(prefix)
        no_speech = self._scorer.no_speech(hidden[:, start], vocabulary)
        steps = min(self._context // 2, self._context + 1 - len(prefix))
        for step in range(steps):
            search.advance(hidden[:, -1:] if step == 0 else hidden, batch.windows)
            batch.drop_done()
            if not batch.windows or step == steps - 1:
                break
            if between_steps is not None:
                between_steps()
            hidden = batch.read_step(eot=vocabulary.eot)
        ordered = sorted([*batch.done, *batch.windows], key=lambda one: one.index)
        return [_found(one.best(), no_speech[one.index]) for one in ordered]

    @torch.inference_mode()
    def languages(self, features: Tensor, *, start_token: int, languages: Sequence[int]) -> Tensor:
        """Probabilities among these language tokens; (windows, languages)."""
        batch = _Batch(self._network, features, None, prefix=1, beams=1)
        return self._scorer.among(batch.read_prefix([start_token])[:, 0], languages)

    @torch.inference_mode()
    def align(
        self,
        features: Tensor,
        prefix: Sequence[int],
        words: Sequence[int],
        *,
        heads: Sequence[tuple[int, int]],
        frames: int,
        eot: int,
    ) -> Alignment:
        """Where in one window the tokens of `words` are spoken; features: (frames, state)."""
        tokens = torch.tensor([[*prefix, *words, eot]], device=self._network.device)
        batch = _Batch(self._network, features[None], None, prefix=tokens.shape[1], beams=1)
        attention = {layer: torch.empty(0) for layer, _ in heads}
        hidden = batch.read_prefix(tokens[0].tolist(), attention=attention)[0]
        before = len(prefix) - 1  # the row of the last token of the prefix foretells the first word
        spoken = self._scorer.of_words(
            hidden[before : before + len(words)], tokens[0, len(prefix) : -1], eot
        )
        looks = torch.stack([attention[layer][0, head] for layer, head in heads])
        path = time_path(looks[:, :, :frames], skip=before)
        return Alignment(path=path, probabilities=[float(one) for one in spoken])

    def _search(self, vocabulary: Vocabulary, options: SearchOptions) -> Search:
        if options.temperature > 0:
            return Sampling(
                self._scorer,
                vocabulary,
                samples=options.best_of,
                temperature=options.temperature,
            )
        return BeamSearch(self._scorer, vocabulary, beams=options.beam_size)


class _Batch:
    """The windows that are not done, with what the network remembers of them."""

    def __init__(
        self,
        network: DecoderNetwork,
        features: Tensor,
        log_counts: Tensor | None,
        *,
        prefix: int,
        beams: int,
    ) -> None:
        self._network = network
        self._beams = beams
        self._audio: AudioMemory = network.audio_memory(features, log_counts)
        self._text: TextMemory = network.text_memory(
            windows=len(features), prefix=prefix, beams=beams
        )
        self._prefix = self._position = prefix
        self._mask = torch.zeros(
            len(features), 1, prefix, dtype=network.dtype, device=network.device
        )
        self._own = torch.full(
            (beams, beams), -torch.inf, dtype=network.dtype, device=network.device
        ).fill_diagonal_(0)
        self.windows = [WindowSearch(index) for index in range(len(features))]
        self.done: list[WindowSearch] = []

    def read_prefix(
        self, prefix: Sequence[int], attention: dict[int, Tensor] | None = None
    ) -> Tensor:
        tokens = torch.tensor(list(prefix), device=self._network.device)
        return self._network.read_prefix(
            tokens.expand(len(self.windows), -1), self._text, self._audio, attention=attention
        )

    def read_step(self, *, eot: int) -> Tensor:
        """The last token of each beam; those that ended wait for the others."""
        beams = [one.beams for one in self.windows]
        self._mask = self._mask_of(beams)
        tokens = [[eot if beam.is_ended else beam.tokens[-1] for beam in one] for one in beams]
        hidden = self._network.read_step(
            torch.tensor(tokens, device=self._network.device),
            self._position,
            self._mask[:, None],
            self._text,
            self._audio,
        )
        self._position += 1
        return hidden

    def drop_done(self) -> None:
        """The last window takes the place of one that is done."""
        for place in reversed(range(len(self.windows))):
            if not self.windows[place].is_done:
                continue
            self.done.append(self.windows[place])
            moved = self.windows.pop()
            if place < len(self.windows):
                self.windows[place] = moved
                self._mask[place] = self._mask[len(self.windows)]
                self._text.move(len(self.windows), place)
                self._audio.move(len(self.windows), place)
        self._mask = self._mask[: len(self.windows)]

    def _mask_of(self, beams: Sequence[Sequence[Beam]]) -> Tensor:
        """A beam sees what its parent saw, and the entry that it is about to write."""
        parents = torch.tensor(
            [[beam.parent for beam in one] for one in beams], device=self._network.device
        )
        entries = self._mask.shape[2]
        seen = self._mask.gather(1, parents[:, :, None].expand(-1, -1, entries))
        if self._beams > 1 and (self._position - self._prefix + 1) % _FORGET_EVERY == 0:
            places = still_seen(seen)
            self._text.keep(places)
            seen = seen.gather(2, places[:, None].expand(-1, seen.shape[1], -1))
        return torch.cat([seen, self._own.expand(len(beams), -1, -1)], dim=2)


def still_seen(mask: Tensor) -> Tensor:
    """Entries that some beam of the window sees, in their order, filled up with unseen ones to
    the same count; mask: (windows, beams, entries), 0 where seen -> (windows, kept).
    """
    is_seen = (mask == 0).any(dim=1)
    order = is_seen.byte().argsort(dim=1, descending=True, stable=True)
    return order[:, : int(is_seen.sum(dim=1).max())]


def _found(beam: Beam, no_speech_prob: float) -> Found:
    return Found(
        tokens=beam.tokens,
        avg_logprob=beam.score / (len(beam.tokens) + 1),
        no_speech_prob=no_speech_prob,
    )
