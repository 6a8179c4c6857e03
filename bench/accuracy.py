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
from bench.recordings import DEFAULT_FOLDER, Recording, load_recordings
from bench.tables import Bound, bounds_table, markdown
from bench.words import Reading, Score, alignment, pooled_rate, score
from voice_transcriber.engines.checkpoints import DEMO_FILE

MAX_POINTS_ABOVE = 1.0  # of word error rate, for a single file
MUST_BE_LOWER = ("en_12min.opus", "gaps_4min.opus")  # transcribe() loses sentences at borders
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
    bounds = [*_bounds(recordings, peers, ours), *containers]
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


def _bounds(
    recordings: Sequence[Recording], peers: Sequence[Score], ours: Sequence[Score]
) -> Iterator[Bound]:
    pairs = list(zip(recordings, peers, ours, strict=True))
    single = [(peer, our) for recording, peer, our in pairs if recording.language]
    if single:
        yield _pooled(single)
    spoken = [(peer, our) for recording, peer, our in pairs if recording.languages]
    yield from (_near(peer, our) for peer, our in spoken)
    yield from (_lower(peer, our) for peer, our in spoken if our.file in MUST_BE_LOWER)
    yield from (_starts(peer, our) for peer, our in spoken)
    yield from (_language(recording, our) for recording, _, our in pairs if recording.languages)
    yield from (_empty(our) for recording, _, our in pairs if not recording.languages)


def _pooled(single: Sequence[tuple[Score, Score]]) -> Bound:
    theirs = pooled_rate(peer for peer, _ in single)
    rate = pooled_rate(our for _, our in single)
    return Bound(
        name="WER pooled over one-language files",
        measured=f"{rate:.2f} %",
        limit=f"<= {theirs:.2f} %",
        kept=rate <= theirs,
    )


def _near(peer: Score, our: Score) -> Bound:
    assert our.rate is not None
    assert peer.rate is not None
    limit = peer.rate + MAX_POINTS_ABOVE
    return Bound(
        name=f"WER {our.file}",
        measured=f"{our.rate:.2f} %",
        limit=f"<= {limit:.2f} %",
        kept=our.rate <= limit,
    )


def _lower(peer: Score, our: Score) -> Bound:
    assert our.rate is not None
    assert peer.rate is not None
    return Bound(
        name=f"WER {our.file}, lower",
        measured=f"{our.rate:.2f} %",
        limit=f"< {peer.rate:.2f} %",
        kept=our.rate < peer.rate,
    )


def _starts(peer: Score, our: Score) -> Bound:
    """At the table's two decimals: half of whisper's own step of 0.02 s."""
    theirs = _hundredths(peer.median_s), _hundredths(peer.p90_s)
    found = _hundredths(our.median_s), _hundredths(our.p90_s)
    return Bound(
        name=f"starts {our.file}: median, p90",
        measured=_starts_text(our),
        limit=f"<= {_starts_text(peer)}",
        kept=all(one <= limit for one, limit in zip(found, theirs, strict=True)),
    )


def _language(recording: Recording, our: Score) -> Bound:
    return Bound(
        name=f"language {our.file}",
        measured=our.language or "none",
        limit=" or ".join(sorted(recording.languages)),
        kept=our.language in recording.languages,
    )


def _empty(our: Score) -> Bound:
    return Bound(
        name=f"no words {our.file}",
        measured=f"{our.errors:.0f} words",
        limit="0 words",
        kept=our.errors == 0 and our.found == 0,
    )


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
    return f"{one.median_s:.3f}, {one.p90_s:.3f}"


def _hundredths(seconds: float | None) -> float:
    return round(seconds or 0.0, 2)


def _pace(peers: Sequence[Score], ours: Sequence[Score]) -> str:
    wall_s = [sum(one.wall_s or 0.0 for one in scores) for scores in (peers, ours)]
    return f"wall time: whisper {wall_s[0]:.0f} s, ours {wall_s[1]:.0f} s"
