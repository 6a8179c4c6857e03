"""From a batch of windows to segments: what surrounds every engine's decode()."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from voice_transcriber.audio.level import quietest_point
from voice_transcriber.audio.pcm import read_samples
from voice_transcriber.engines.base import DecodeOptions, Features, Hypothesis, Model, WordTiming
from voice_transcriber.engines.fallback import TEMPERATURES, raise_temperature, repeats_itself
from voice_transcriber.engines.protocol import ModelKey, WindowReply, WindowRequest
from voice_transcriber.engines.segments import TimedTokens, parse_window
from voice_transcriber.engines.stopwatch import Stopwatch
from voice_transcriber.engines.words import words_by_segment
from voice_transcriber.job import SAMPLE_RATE
from voice_transcriber.transcript.model import Segment, Word

FeatureKey = tuple[ModelKey, str, float, int, int]  # model, pcm, gain, start, end
SHELF_SIZE = 8  # windows whose features wait between language detection and decoding
SHORTEST_DIVIDED = 20 * SAMPLE_RATE  # shorter windows are not cut in two


@dataclass(frozen=True)
class Shelved:
    """Features of one window, with the seconds of making them that nobody was told of yet."""

    features: Features
    stages_s: Mapping[str, float]


class FeatureShelf:
    """Features that were needed once and will be needed again: encoded once, used twice."""

    def __init__(self) -> None:
        self._kept: dict[FeatureKey, Shelved] = {}

    def __contains__(self, key: FeatureKey) -> bool:
        return key in self._kept

    def keep(self, key: FeatureKey, shelved: Shelved) -> None:
        self._kept[key] = shelved

    def take(self, key: FeatureKey) -> Shelved:
        """Raises KeyError."""
        return self._kept.pop(key)

    def look(self, key: FeatureKey, watch: Stopwatch) -> Features:
        """What stays on the shelf; `watch` is told of its seconds. Raises KeyError."""
        shelved = self._kept[key]
        watch.add(shelved.stages_s)
        self._kept[key] = Shelved(shelved.features, {})
        return shelved.features

    def trim(self) -> None:
        """Between batches: whoever waits the longest will probably not be asked for any more."""
        while len(self._kept) > SHELF_SIZE:
            del self._kept[next(iter(self._kept))]

    def clear(self) -> None:
        self._kept.clear()


def warm_up(model: Model) -> None:
    """One short decode, so that the first real window is not the slower one."""
    features = model.encode([np.zeros(SAMPLE_RATE, np.float32)])
    model.decode(features, DecodeOptions(language="en", beam_size=None, best_of=None))


def feature_key(request: WindowRequest) -> FeatureKey:
    return (request.key, request.pcm, request.gain, request.start, request.end)


def encode_ahead(model: Model, keys: Sequence[FeatureKey], shelf: FeatureShelf) -> None:
    """Put the features of these windows on the shelf, as far as they are not there.

    Raises EngineOutOfMemory, GpuFailed.
    """
    missing = list(dict.fromkeys(key for key in keys if key not in shelf))
    if not missing:
        return
    watch = Stopwatch()
    with watch.stage("encode"):
        windows = [
            read_samples(Path(pcm), start, end, gain=gain) for _, pcm, gain, start, end in missing
        ]
        features = model.encode(windows)
    share_s = _shares(watch, len(missing))
    for key, one in zip(missing, features, strict=True):
        shelf.keep(key, Shelved(one, share_s))


def transcribe_batch(
    model: Model,
    requests: Sequence[WindowRequest],
    shelf: FeatureShelf,
    *,
    on_step: Callable[[], None] = lambda: None,
) -> list[WindowReply]:
    """One reply for each request; all share a batch key. `on_step` hears that the work comes along.

    Raises EngineOutOfMemory, GpuFailed.
    """
    first = requests[0]
    keys = [feature_key(request) for request in requests]
    encode_ahead(model, keys, shelf)
    shelved = {key: shelf.take(key) for key in dict.fromkeys(keys)}
    features = [shelved[key].features for key in keys]
    options = DecodeOptions(
        language=first.language,
        task=first.task,
        prompt=first.prompt,
        hotwords=first.hotwords,
        beam_size=first.beam_size if first.beam_size > 1 else None,
        temperature=TEMPERATURES[0],
    )
    watch = Stopwatch()
    with watch.stage("text"):
        on_step()
        hypotheses = model.decode(features, options)
        on_step()
        divided = [
            index for index, found in enumerate(hypotheses) if _is_divided(requests[index], found)
        ]
        hypotheses = raise_temperature(
            model, features, options, hypotheses, leave=divided, on_step=on_step
        )
    share_s = _shares(watch, len(requests))
    told_s = [{**shelved[key].stages_s, **share_s} for key in keys]
    halves = iter(_first_halves(model, [requests[index] for index in divided], shelf, on_step))
    replies = []
    for index, request in enumerate(requests):
        if index in divided:
            replies.append(next(halves).with_stages(told_s[index]))
            continue
        reader = _Reader(model, request, told_s[index])
        replies.append(reader.reply(hypotheses[index], features[index]))
        on_step()
    return replies


def _shares(watch: Stopwatch, windows: int) -> Mapping[str, float]:
    """Each window's part of the seconds."""
    return {name: seconds / windows for name, seconds in watch.stages_s.items()}


def _is_divided(request: WindowRequest, hypothesis: Hypothesis) -> bool:
    """A long list of like sentences may seem to repeat itself only because it is long."""
    return repeats_itself(hypothesis) and request.end - request.start >= SHORTEST_DIVIDED


def _first_halves(
    model: Model,
    requests: Sequence[WindowRequest],
    shelf: FeatureShelf,
    on_step: Callable[[], None],
) -> list[WindowReply]:
    """The text of the first half of each window; the rest is left to a window of its own."""
    if not requests:
        return []
    cuts = [_quiet_middle(request) for request in requests]
    halves = [
        replace(request, end=cut, speech_end=cut)
        for request, cut in zip(requests, cuts, strict=True)
    ]
    replies = transcribe_batch(model, halves, shelf, on_step=on_step)
    return [
        reply if reply.resume_sample is not None else replace(reply, resume_sample=cut)
        for reply, cut in zip(replies, cuts, strict=True)
    ]


def _quiet_middle(request: WindowRequest) -> int:
    third = (request.end - request.start) // 3
    start, end = request.start + third, request.end - third
    return start + quietest_point(read_samples(Path(request.pcm), start, end))


class _Reader:
    """Turns what the decoder wrote for one window into segments with times in the file."""

    def __init__(self, model: Model, request: WindowRequest, share_s: Mapping[str, float]) -> None:
        self._model = model
        self._request = request
        self._vocabulary = model.tokens(language=request.language, task=request.task)
        self._offset_ms = _to_ms(request.start)
        self._watch = Stopwatch()
        self._share_s = share_s

    def reply(self, hypothesis: Hypothesis, features: Features) -> WindowReply:
        request = self._request
        parsed = parse_window(
            hypothesis.tokens,
            self._vocabulary,
            length_ms=_to_ms(request.end - request.start),
            speech_end_ms=_to_ms(request.speech_end - request.start),
            vad_filter=request.vad_filter,
        )
        words = self._words(parsed.segments, features)
        segments = [
            self._segment(piece, hypothesis, next(words) if request.word_timestamps else None)
            for piece in parsed.segments
        ]
        resume_ms = parsed.resume_ms
        return WindowReply(
            segments=[segment for segment in segments if segment.text.strip()],
            resume_sample=None if resume_ms is None else request.start + _to_samples(resume_ms),
            stages_s={**self._share_s, **self._watch.stages_s},
        )

    def _segment(
        self, piece: TimedTokens, hypothesis: Hypothesis, words: tuple[Word, ...] | None
    ) -> Segment:
        return Segment(
            start_ms=self._offset_ms + piece.start_ms,
            end_ms=self._offset_ms + piece.end_ms,
            text=self._vocabulary.decode(piece.tokens),
            tokens=piece.tokens,
            temperature=hypothesis.temperature,
            avg_logprob=round(hypothesis.avg_logprob, 4),
            compression_ratio=round(hypothesis.compression_ratio, 4),
            no_speech_prob=round(hypothesis.no_speech_prob, 4),
            words=words,
        )

    def _words(
        self, pieces: Sequence[TimedTokens], features: Features
    ) -> Iterator[tuple[Word, ...]]:
        """The words of each piece in turn; the whole window is aligned at once."""
        eot = self._vocabulary.eot
        texts = [[token for token in piece.tokens if token < eot] for piece in pieces]
        segments = [
            (len(text), piece.start_ms / 1000, piece.end_ms / 1000)
            for text, piece in zip(texts, pieces, strict=True)
        ]
        with self._watch.stage("align"):
            timings = self._model.align(
                features,
                [token for text in texts for token in text],
                language=self._request.language,
                task=self._request.task,
                length_s=(self._request.end - self._request.start) / SAMPLE_RATE,
            )
        for found in words_by_segment(timings, segments, decode=self._vocabulary.decode):
            yield tuple(self._word(timing) for timing in found)

    def _word(self, timing: WordTiming) -> Word:
        return Word(
            start_ms=self._offset_ms + round(timing.start_s * 1000),
            end_ms=self._offset_ms + round(timing.end_s * 1000),
            text=timing.text,
            probability=round(timing.probability, 4),
        )


def _to_ms(samples: int) -> int:
    return round(samples * 1000 / SAMPLE_RATE)


def _to_samples(milliseconds: int) -> int:
    return milliseconds * SAMPLE_RATE // 1000
