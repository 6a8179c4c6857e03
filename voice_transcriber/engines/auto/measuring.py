"""Measures decoders and encoders apart from each other, and compares what is written."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from voice_transcriber.engines.auto.choosing import differing_percent, is_near
from voice_transcriber.engines.auto.contention import is_contended, thread_times
from voice_transcriber.engines.auto.records import DecoderPart, Figure, Parts
from voice_transcriber.engines.auto.speech import LANGUAGE
from voice_transcriber.engines.base import (
    WINDOW_S,
    DecodeOptions,
    Decoder,
    Encoded,
    Features,
    Model,
    Samples,
)
from voice_transcriber.engines.encoders.base import Encoder
from voice_transcriber.engines.encoders.installed import OWN
from voice_transcriber.engines.whisper_text import log_mel
from voice_transcriber.errors import InternalError, ModelDamaged, TranscriberError
from voice_transcriber.job import SAMPLE_RATE

log = logging.getLogger(__name__)

T = TypeVar("T")

OPTIONS = DecodeOptions(language=LANGUAGE)
SLOW_MACHINE = 3.0  # times the reference's seconds are the least that there is for all
BREAK_OFF = 2.5  # times the fastest: what takes longer is not measured further
WARMING = 3 * BREAK_OFF  # the same for what is done for the first time
WITH_TRIALS = 1.5  # times the budget, before no further combination is tried as a whole

_COPIES = 3  # of the speech: recordings are read in batches, and engines differ in what these gain

_ONE_WINDOW = "its encoder was broken off: far slower than the fastest one"


class NotNow(Exception):
    """The message says why nothing can be measured now."""


class Opener(Protocol):
    """Brings parts of one checkpoint into memory. Methods raise as Engine.load does."""

    def decoder(self, part: DecoderPart) -> Decoder: ...

    def encoder(self, backend: str) -> Encoder: ...

    def combined(self, part: DecoderPart, encoder: str) -> Model: ...


@dataclass(frozen=True)
class _Reference:
    """What the first decoder made of the speech, with its own encoder."""

    encoded: Sequence[Encoded]
    text: str


class Measuring:
    """One round; used once. A part is let go of before the next one is opened."""

    def __init__(
        self,
        opener: Opener,
        speech: Sequence[Samples],
        *,
        budget_s: float,
        clock: Callable[[], float] = time.perf_counter,
        thread_times: Callable[[], tuple[float, float]] = thread_times,
        is_urgent: Callable[[], bool] = lambda: False,
    ) -> None:
        """`budget_s` bounds the seconds that are measured; loading and converting do not count.
        A slow machine has more: a choice among one is none. `is_urgent` is asked after each part.
        """
        self._opener = opener
        self._speech = speech
        self._scale = WINDOW_S * SAMPLE_RATE / sum(len(piece) for piece in speech) / _COPIES
        self._budget_s = budget_s
        self._clock = clock
        self._thread_times = thread_times
        self._is_urgent = is_urgent
        self._at_start = thread_times()
        self._spent_s = 0.0
        self._fastest_encode_s = math.inf
        self._fastest_try_s = math.inf
        self._reference: _Reference | None = None
        self.fault: TranscriberError | None = None  # why the last part that failed did

    def figures(self, parts: Parts) -> list[Figure]:
        """One for each part, in the order in which they were measured. Raises NotNow."""
        reference, *others = parts.decoders
        found = [self._of_decoder(reference, with_encoder=True)]
        self._budget_s = max(self._budget_s, SLOW_MACHINE * self._spent_s)
        found += [self._of_encoder(name) for name in parts.encoders if name != OWN]
        with_encoder = OWN in parts.encoders
        found += [self._of_decoder(part, with_encoder=with_encoder) for part in others]
        return found

    @property
    def has_time_for_trials(self) -> bool:
        return self._spent_s <= WITH_TRIALS * self._budget_s

    def trial(self, model: Model) -> tuple[float, float]:
        """A whole combination: seconds for 30 s of speech, and percent of differing words.

        Raises NotNow.
        """
        _text(model, model.encode(self._speech[:1]))  # warms up
        encode_s, features = self._timed(lambda: model.encode(self._speech))
        decode_s, text = self._timed(lambda: _text(model, _batch_of(features)))
        seconds = encode_s / len(self._speech) + decode_s * self._scale
        return seconds, self._differing(text)

    def _of_decoder(self, part: DecoderPart, *, with_encoder: bool) -> Figure:
        blank = Figure(decoder=part)
        if self._spent_s > self._budget_s:
            return replace(blank, note=_no_time(self._budget_s))
        try:
            model = self._opener.decoder(part)
            wanted = with_encoder or self._reference is None
            figure = self._with_encoder(blank, model.encode, model.encoded_of) if wanted else blank
            return self._with_text(figure, model)
        except ModelDamaged:  # for whatever part
            raise
        except (TranscriberError, RuntimeError) as fault:  # what a processor lacks, too
            return self._failed(blank, fault)

    def _of_encoder(self, backend: str) -> Figure:
        blank = Figure(encoder=backend)
        try:
            encoder = self._opener.encoder(backend)
        except (TranscriberError, RuntimeError) as fault:
            return self._failed(blank, fault)

        def encode(pieces: Sequence[Samples]) -> list[Encoded]:
            return encoder.encode([log_mel(one, bands=encoder.bands).numpy() for one in pieces])

        return self._with_encoder(blank, encode, lambda encoded: encoded)

    def _with_encoder(
        self,
        figure: Figure,
        encode: Callable[[Sequence[Samples]], list[Features]],
        encoded_of: Callable[[Features], Encoded],
    ) -> Figure:
        """The first window warms up; the faster one of the others counts."""
        encoded: list[Features] = []
        seconds = math.inf
        for piece in self._speech:
            piece_s, features = self._timed(partial(encode, [piece]))
            is_first = not encoded
            if piece_s > (WARMING if is_first else BREAK_OFF) * self._fastest_encode_s:
                return replace(figure, encode_s=round(piece_s, 4), note=_ONE_WINDOW)
            encoded += features
            seconds = seconds if is_first else min(seconds, piece_s)
        if self._reference is None:
            self._reference = _Reference([encoded_of(one) for one in encoded], "")
        self._fastest_encode_s = min(self._fastest_encode_s, seconds)
        return replace(figure, encode_s=round(seconds, 4))

    def _with_text(self, figure: Figure, model: Decoder) -> Figure:
        reference = self._reference
        assert reference is not None
        features = [model.features_of(one) for one in reference.encoded]
        try_s, _ = self._timed(lambda: _text(model, features[:1]))
        if try_s > WARMING * self._fastest_try_s:
            times = try_s / self._fastest_try_s
            return replace(figure, note=f"broken off: {times:.1f} times as slow as the fastest one")
        self._fastest_try_s = min(self._fastest_try_s, try_s)
        seconds, text = self._timed(lambda: _text(model, _batch_of(features)))
        if not reference.text:
            self._reference = replace(reference, text=text)
        differing = self._differing(text)
        return replace(
            figure,
            decode_s=round(seconds * self._scale, 4),
            differing_percent=round(differing, 2),
            note=figure.note if is_near(differing) else "too many other words",
        )

    def _differing(self, text: str) -> float:
        assert self._reference is not None
        return differing_percent(self._reference.text, text)

    def _failed(self, blank: Figure, fault: TranscriberError | RuntimeError) -> Figure:
        self.fault = fault if isinstance(fault, TranscriberError) else InternalError(str(fault))
        log.warning("%s cannot be measured: %s", blank.name, self.fault.message)
        return replace(blank, note=self.fault.message)

    def _timed(self, work: Callable[[], T]) -> tuple[float, T]:
        start_s = self._clock()
        result = work()
        seconds = self._clock() - start_s
        self._spent_s += seconds
        if is_contended(self._at_start, self._thread_times()):
            raise NotNow("The machine was too busy to measure")
        if self._is_urgent():
            raise NotNow("More urgent work waited")
        return seconds, result


def _text(model: Model, features: Sequence[Features]) -> str:
    return " ".join(one.text for one in model.decode(features, OPTIONS))


def _batch_of(features: Sequence[Features]) -> list[Features]:
    return [*features] * _COPIES


def _no_time(budget_s: float) -> str:
    return f"not measured: the {budget_s:.0f} s for measuring were over"
