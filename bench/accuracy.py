"""Right text: whisper's own transcribe() and our product on the same recordings, and the bounds."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench.containers import container_bounds
from bench.machine import OtherLoad, describe
from bench.peers import WhisperTranscribe, published_score
from bench.product import Product, running_product
from bench.reading import Reading
from bench.recordings import DEFAULT_FOLDER, Recording, load_recordings
from bench.tables import bounds_table, markdown
from bench.text_bounds import seconds_text, text_bounds
from bench.words import Score, alignment, score
from voice_transcriber.engines.checkpoints import DEMO_FILE

_HEAD = (
    "file",
    "words",
    "whisper WER %",
    "S/D/I",
    "segments",
    "start s",
    "ours WER %",
    "S/D/I",
    "segments",
    "start s",
    "language",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--audio", type=Path, default=DEFAULT_FOLDER, help="recordings, manifest")
    parser.add_argument("--files", nargs="+", default=(), metavar="NAME", help="only these")
    parser.add_argument(
        "--published", action="store_true", help="do not run transcribe(); take its known figures"
    )
    parser.add_argument("--errors", action="store_true", help="show every place that is wrong")
    parser.add_argument("--no-containers", action="store_true", help="leave out mp3, m4a, ...")


def run(arguments: argparse.Namespace) -> bool:
    """Print the table and the bounds; True when every bound is kept."""
    recordings = load_recordings(arguments.audio, arguments.files)
    print(f"# Right text\n\n{describe()}\nmodel demo, beam 5, windows independent\n", flush=True)
    with OtherLoad() as other, running_product() as product:
        peers = list(_peer_scores(recordings, arguments))
        ours = list(_our_scores(product, recordings, show_errors=arguments.errors))
        containers = [] if arguments.no_containers else container_bounds(product, recordings)
    bounds = [*text_bounds(recordings, peers, ours), *containers]
    rows = map(_row, peers, ours)
    print(f"\n{markdown(_HEAD, rows)}\n\n{bounds_table(bounds)}\n\n{_pace(peers, ours)}, {other}")
    return all(bound.kept for bound in bounds)


def _peer_scores(recordings: Sequence[Recording], arguments: argparse.Namespace) -> Iterator[Score]:
    if arguments.published:
        yield from map(published_score, recordings)
        return
    peer = WhisperTranscribe(DEMO_FILE)
    for recording in recordings:
        reading = peer.read(recording)
        _show("whisper", recording, reading, with_errors=arguments.errors)
        yield score(recording, reading)


def _our_scores(
    product: Product, recordings: Sequence[Recording], *, show_errors: bool
) -> Iterator[Score]:
    """The text with the language given, and the language that is named when it is not."""
    product.read(recordings[0].path, language="en")  # the model is loaded
    for recording in recordings:
        reading = product.read(recording.path, language=recording.language)
        _show("ours", recording, reading, with_errors=show_errors)
        found = score(recording, reading)
        if recording.language is None:
            yield found
        else:
            yield replace(found, language=product.read(recording.path, language=None).language)


def _show(who: str, recording: Recording, reading: Reading, *, with_errors: bool) -> None:
    print(f"{who}: {recording.name} {reading.wall_s:.1f} s", flush=True)
    if with_errors and (places := alignment(recording, reading)):
        print(places, flush=True)


def _row(peer: Score, our: Score) -> tuple[str, ...]:
    language = our.language or "-"
    return (our.file, str(our.words), *_cells(peer), *_cells(our), language)


def _cells(one: Score) -> tuple[str, ...]:
    counts = "/".join(map(str, one.counts)) if one.counts else "-"
    rate = "-" if one.rate is None else f"{one.rate:.2f}"
    return rate, counts, f"{one.found}/{one.true}", _starts_text(one)


def _starts_text(one: Score) -> str:
    if one.median_s is None or one.p90_s is None:
        return "-"
    return seconds_text(one.median_s, one.p90_s)


def _pace(peers: Sequence[Score], ours: Sequence[Score]) -> str:
    wall_s = [sum(one.wall_s or 0.0 for one in scores) for scores in (peers, ours)]
    return f"wall time: whisper {wall_s[0]:.0f} s, ours {wall_s[1]:.0f} s"
