"""What a job may ask for, against whisper's transcribe(): word times, translation, languages."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.machine import OtherLoad, describe
from bench.peers import WhisperTranscribe
from bench.product import Product, running_product
from bench.reading import Reading
from bench.recordings import DEFAULT_FOLDER, Recording, load_recordings
from bench.tables import Bound, bounds_table, markdown
from bench.words import Score, score
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.transcript.languages import SEVERAL_LANGUAGES

MAX_POINTS_ABOVE = 1.0  # of word error rate, for a translation and for silence that is decoded
MAX_SEVERAL_RATE = 8.0  # percent of the words of a recording in several languages

_HEAD = ("file", "whisper first words s", "last words s", "ours first words s", "last words s")


@dataclass(frozen=True)
class Distances:
    """Of first words from the true sentences' starts, of last words from their ends; seconds."""

    first_s: Sequence[float]
    last_s: Sequence[float]

    def text(self) -> tuple[str, str]:
        return _figures(self.first_s), _figures(self.last_s)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--audio", type=Path, default=DEFAULT_FOLDER, help="recordings, manifest")
    parser.add_argument("--files", nargs="+", default=(), metavar="NAME", help="only these")


def run(arguments: argparse.Namespace) -> bool:
    """Print the tables; True when every bound is kept."""
    recordings = load_recordings(arguments.audio, arguments.files)
    print(f"# What a job may ask for\n\n{describe()}\nmodel demo, beam 5\n", flush=True)
    peer = WhisperTranscribe(DEMO_FILE)
    with OtherLoad() as other, running_product() as product:
        bounds = [
            *_word_bounds(recordings, peer, product),
            *_translation_bounds(recordings, peer, product),
            *_several_bounds(recordings, product),
            *_silence_bounds(recordings, product),
        ]
    print(f"\n{bounds_table(bounds)}\n\n{other}")
    return all(bound.kept for bound in bounds)


def _word_bounds(
    recordings: Sequence[Recording], peer: WhisperTranscribe, product: Product
) -> Iterator[Bound]:
    single = [one for one in recordings if one.language]
    if not single:
        return
    theirs = [_distances(one, peer.read(one, word_timestamps=True)) for one in single]
    ours = [
        _distances(one, product.read(one.path, language=one.language, word_timestamps=True))
        for one in single
    ]
    rows = [
        (one.name, *their.text(), *our.text())
        for one, their, our in zip(single, theirs, ours, strict=True)
    ]
    print(f"Distances: median, 90th percentile\n\n{markdown(_HEAD, rows)}", flush=True)
    yield _distance_bound("first words from starts", theirs, ours, lambda one: one.first_s)
    yield _distance_bound("last words from ends", theirs, ours, lambda one: one.last_s)


def _distances(recording: Recording, reading: Reading) -> Distances:
    return Distances(
        _nearest(reading.first_words_s, recording.starts_s),
        _nearest(reading.last_words_s, recording.ends_s),
    )


def _nearest(found_s: Sequence[float], true_s: Sequence[float]) -> list[float]:
    return [float(np.abs(np.asarray(true_s) - one).min()) for one in found_s]


def _distance_bound(
    name: str,
    theirs: Sequence[Distances],
    ours: Sequence[Distances],
    part: Callable[[Distances], Sequence[float]],
) -> Bound:
    limits_s, found_s = ([s for one in found for s in part(one)] for found in (theirs, ours))
    limit, measured = (np.percentile(one, [50, 90]) for one in (limits_s, found_s))
    return Bound(
        name=f"word times, {name}: median, p90",
        measured=_figures(found_s),
        limit=f"<= {_figures(limits_s)}",
        kept=bool((measured <= limit).all()),
        detail=f"{len(found_s)} sentences, whisper {len(limits_s)}",
    )


def _translation_bounds(
    recordings: Sequence[Recording], peer: WhisperTranscribe, product: Product
) -> Iterator[Bound]:
    for one in recordings:
        if one.language in {None, "en"}:
            continue
        truth = replace(one, text=one.english)
        their = score(truth, peer.read(one, task="translate"))
        our = score(truth, product.read(one.path, language=one.language, task="translate"))
        yield _rate_bound(f"translation of {one.name}", our, _rate(their) + MAX_POINTS_ABOVE)


def _several_bounds(recordings: Sequence[Recording], product: Product) -> Iterator[Bound]:
    for one in recordings:
        if len(one.languages) < 2:
            continue
        reading = product.read(one.path, language=SEVERAL_LANGUAGES)
        yield _rate_bound(f"{one.name}, language=multi", score(one, reading), MAX_SEVERAL_RATE)
        wrong = sum(
            one.language_at(start_s) != language
            for start_s, language in zip(reading.starts_s, reading.languages, strict=True)
        )
        yield Bound(
            name=f"{one.name}, segments in another language",
            measured=str(wrong),
            limit="0",
            kept=wrong == 0,
            detail=f"of {len(reading.languages)}",
        )


def _silence_bounds(recordings: Sequence[Recording], product: Product) -> Iterator[Bound]:
    for one in recordings:
        if len(one.languages) > 1:
            continue
        skipped = product.read(one.path, language=one.language)
        decoded = product.read(one.path, language=one.language, vad_filter=False)
        if one.languages:
            limit = _rate(score(one, skipped)) + MAX_POINTS_ABOVE
            yield _rate_bound(f"{one.name}, vad_filter=false", score(one, decoded), limit)
        else:
            yield Bound(
                name=f"{one.name}, vad_filter=false",
                measured=repr(decoded.text[:40]),
                limit="no words",
                kept=not decoded.text,
            )


def _rate_bound(name: str, found: Score, limit: float) -> Bound:
    return Bound(
        name=f"WER {name}",
        measured=f"{_rate(found):.2f} %",
        limit=f"<= {limit:.2f} %",
        kept=_rate(found) <= limit,
    )


def _rate(found: Score) -> float:
    assert found.rate is not None
    return found.rate


def _figures(distances_s: Sequence[float]) -> str:
    median_s, p90_s = np.percentile(distances_s, [50, 90])
    return f"{median_s:.3f}, {p90_s:.3f}"
