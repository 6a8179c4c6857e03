"""Chunks that were computed before, of this recording or of another with the same audio there."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from voice_transcriber.audio.decode import SAMPLE_BYTES
from voice_transcriber.engines.protocol import Place
from voice_transcriber.errors import TranscriberError
from voice_transcriber.files import file_sha256
from voice_transcriber.job import SAMPLE_RATE, Chunk, Job, Window
from voice_transcriber.jobs.recipes import Recipes
from voice_transcriber.results.cache import ResultCache
from voice_transcriber.results.contents import KnownChunk, KnownWindow
from voice_transcriber.results.keys import Computing, chunk_key
from voice_transcriber.store.base import WindowResult
from voice_transcriber.transcript.model import Segment

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Asked:
    language: str | None
    language_before: str | None


class KnownChunks:
    """For one run of a job; used by its thread."""

    def __init__(self, cache: ResultCache, recipes: Recipes, job: Job, pcm: Path) -> None:
        self._cache = cache
        self._recipes = recipes
        self._job = job
        self._pcm = pcm
        self._hashes: dict[tuple[int, int], str] = {}
        self._asked: dict[int, _Asked] = {}  # by chunk, what was known of its language
        self.used: set[str] = set()  # keys of the chunks that were known
        self.computing: Computing | None = None  # what those were computed with

    def find(
        self, chunk: Chunk, *, language_before: str | None = None
    ) -> tuple[KnownChunk, Sequence[WindowResult]] | None:
        """The chunk's finished windows, with times in this file; None when it is to be computed.

        `language_before`: that of the window before it, where the recording has several.
        """
        if not self._cache.is_on:
            return None
        asked = _Asked(chunk.language, language_before)
        self._asked[chunk.index] = asked
        if not self._job.options.use_cache:
            return None
        try:
            computing = self.computing or self._recipes.expected(self._job.options)
            if computing is None:
                return None
            key = self._key(chunk, computing, asked)
        except (OSError, TranscriberError) as error:
            log.warning("Known chunks could not be looked for: %s", error)
            return None
        known = self._cache.chunk(key)
        if known is None:
            return None
        self.used.add(key)
        self.computing = computing
        self._cache.chunk_hits += 1
        return known, [_placed(window, chunk) for window in known.windows]

    def keep(
        self,
        chunk: Chunk,
        results: Sequence[WindowResult],
        *,
        probability: float | None,
        places: Collection[Place],
    ) -> None:
        """For later jobs, a chunk whose windows are all done and that was looked for in vain.

        `probability`: of a language that was detected, `places`: what the job was decoded on.
        """
        asked = self._asked.get(chunk.index)
        if asked is None or len(places) != 1:
            return
        try:
            computing = self._recipes.seen(self._job.options, *places)
            if computing is None:
                return
            key = self._key(chunk, computing, asked)
        except (OSError, TranscriberError) as error:
            log.warning("A finished chunk could not be kept for later jobs: %s", error)
            return
        known = KnownChunk(
            language=chunk.language,
            language_probability=probability,
            windows=[_relative(result, chunk) for result in results],
        )
        self._cache.keep_chunk(self._job.id, key, known)

    def _key(self, chunk: Chunk, computing: Computing, asked: _Asked) -> str:
        return chunk_key(
            pcm_sha256=self._pcm_sha256(chunk),
            gain=chunk.gain,
            language=asked.language,
            language_before=asked.language_before,
            options=self._job.options,
            computing=computing,
        )

    def _pcm_sha256(self, chunk: Chunk) -> str:
        """Read anew for each chunk: it is in the system's memory, for it was written just now."""
        place = (chunk.start_sample, chunk.end_sample)
        if place not in self._hashes:
            start, end = (SAMPLE_BYTES * sample for sample in place)
            self._hashes[place] = file_sha256(self._pcm, start=start, end=end)
        return self._hashes[place]


def _placed(window: KnownWindow, chunk: Chunk) -> WindowResult:
    at = chunk.start_sample
    placed = Window(
        chunk_index=chunk.index,
        start_sample=at + window.start,
        end_sample=at + window.end,
        speech_end_sample=at + window.speech_end,
        language=window.language,
    )
    segments = [_moved(segment, _to_ms(at)) for segment in window.segments]
    return WindowResult(window=placed, segments=segments, follow_up=None)


def _relative(result: WindowResult, chunk: Chunk) -> KnownWindow:
    window, at = result.window, chunk.start_sample
    return KnownWindow(
        start=window.start_sample - at,
        end=window.end_sample - at,
        speech_end=window.speech_end_sample - at,
        language=window.language,
        segments=tuple(_moved(segment, -_to_ms(at)) for segment in result.segments),
    )


def _moved(segment: Segment, by_ms: int) -> Segment:
    words = segment.words and tuple(
        replace(word, start_ms=word.start_ms + by_ms, end_ms=word.end_ms + by_ms)
        for word in segment.words
    )
    return replace(
        segment, start_ms=segment.start_ms + by_ms, end_ms=segment.end_ms + by_ms, words=words
    )


def _to_ms(samples: int) -> int:
    return round(samples * 1000 / SAMPLE_RATE)
