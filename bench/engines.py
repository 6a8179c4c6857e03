"""The engines side by side: the same windows, in turn, file by file.

The text of each engine is held against that of openai-whisper in single precision. `--size` widens
the demo checkpoint to the dimensions of a published size, so that the seconds are that size's.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.machine import OtherLoad, describe
from bench.reading import Reading
from bench.recordings import DEFAULT_FOLDER, SAMPLE_RATE, Recording, load_recordings, read_samples
from bench.tables import Bound, bounds_table, markdown
from bench.widen import SIZES, write_widened
from bench.words import differing_words, pooled_rate, score
from voice_transcriber.engines.base import DecodeOptions, Model, Samples
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.engines.device import prepare_device
from voice_transcriber.engines.planning import plan_chunk
from voice_transcriber.engines.protocol import HostOptions, PlanRequest
from voice_transcriber.engines.registry import make_detector, make_engine
from voice_transcriber.settings import cpu_threads

MAX_DIFFERENCE = 0.5  # percent of the words: with 8-bit weights, and with beams
_GREEDY = 1
_HEAD = (
    "engine", "beam", "encoder s", "text s", "together s", "times as fast", "others %", "WER %",
)  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """An engine with what it computes with."""

    engine: str
    compute_type: str

    def __str__(self) -> str:
        return f"{self.engine} {self.compute_type}"


REFERENCE = Variant("openai-whisper", "float32")
VARIANTS = (
    REFERENCE,
    Variant("faster-whisper", "float32"),
    Variant("faster-whisper", "int8"),
)


@dataclass
class Outcome:
    """What one variant took with one beam, and its texts by recording."""

    encode_s: float = 0.0
    decode_s: float = 0.0
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def total_s(self) -> float:
        return self.encode_s + self.decode_s


Outcomes = dict[tuple[Variant, int], Outcome]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--audio", type=Path, default=DEFAULT_FOLDER, help="recordings, manifest")
    parser.add_argument("--files", nargs="+", default=(), metavar="NAME", help="only these")
    parser.add_argument("--size", default="demo", choices=["demo", *SIZES], help="its cost")
    parser.add_argument("--beams", nargs="+", type=int, default=[_GREEDY, 5], metavar="N")
    parser.add_argument("--batch-size", type=int, default=8, metavar="N")


def run(arguments: argparse.Namespace) -> bool:
    """Print the table; True when every bound is kept."""
    recordings = [
        one for one in load_recordings(arguments.audio, arguments.files) if one.language is not None
    ]
    threads = cpu_threads(0)
    _use_threads(threads)
    print(
        f"# The engines side by side\n\n{describe()}\nsize {arguments.size}, batches of "
        f"{arguments.batch_size}, {threads} threads, {len(recordings)} recordings\n",
        flush=True,
    )
    with (
        tempfile.TemporaryDirectory(prefix="voice-transcriber-bench-") as name,
        OtherLoad() as load,
    ):
        folder = Path(name)
        checkpoint = (
            DEMO_FILE
            if arguments.size == "demo"
            else write_widened(arguments.size, folder / f"demo-{arguments.size}.pt")
        )
        outcomes = _measure(arguments, recordings, checkpoint, folder)
    print(markdown(_HEAD, _rows(outcomes, recordings)))
    bounds = list(_bounds(outcomes))
    print(f"\n{bounds_table(bounds)}\n\n{load}")
    return all(bound.kept for bound in bounds)


def _use_threads(threads: int) -> None:
    prepare_device(
        HostOptions(
            engine=REFERENCE.engine,
            threads=threads,
            batch_size=1,
            model_cache_size=1,
            use_gpu=False,
            free_memory_early=False,
        )
    )


def _measure(
    arguments: argparse.Namespace, recordings: Sequence[Recording], checkpoint: Path, folder: Path
) -> Outcomes:
    models = {variant: _loaded(variant, checkpoint, folder) for variant in VARIANTS}
    outcomes: Outcomes = defaultdict(Outcome)
    for recording in recordings:
        windows = _windows(recording, folder)
        print(f"{recording.name}: {len(windows)} windows", flush=True)
        for beam, (variant, model) in itertools.product(arguments.beams, models.items()):
            _transcribe(
                model, recording, windows, outcomes[variant, beam], beam, arguments.batch_size
            )
    return outcomes


def _loaded(variant: Variant, checkpoint: Path, folder: Path) -> Model:
    started = time.monotonic()
    model = make_engine(variant.engine, folder).load(
        checkpoint, size=checkpoint.stem, device="cpu", compute_type=variant.compute_type
    )
    model.encode([np.zeros(SAMPLE_RATE, np.float32)])  # so that nobody pays for the first time
    print(f"{variant} is ready after {time.monotonic() - started:.1f} s")
    return model


def _windows(recording: Recording, folder: Path) -> list[Samples]:
    """As the program plans them."""
    samples = read_samples(recording.path)
    pcm = folder / "windows.pcm"
    pcm.write_bytes((samples * 32768).astype("<i2").tobytes())
    request = PlanRequest(
        pcm=str(pcm), start=0, limit=len(samples), is_last=True, vad_filter=True, level=True
    )
    plan = plan_chunk(request, make_detector(REFERENCE.engine))
    return [samples[start:end] * plan.gain for start, end, _speech_end in plan.windows]


def _transcribe(
    model: Model,
    recording: Recording,
    windows: Sequence[Samples],
    outcome: Outcome,
    beam: int,
    batch_size: int,
) -> None:
    options = DecodeOptions(
        language=recording.language, beam_size=None if beam == _GREEDY else beam
    )
    texts = []
    for batch in _batches(windows, batch_size):
        started = time.monotonic()
        features = model.encode(batch)
        encoded = time.monotonic()
        texts += [one.text for one in model.decode(features, options)]
        outcome.encode_s += encoded - started
        outcome.decode_s += time.monotonic() - encoded
    outcome.texts[recording.name] = " ".join(texts)


def _batches(windows: Sequence[Samples], size: int) -> Iterator[Sequence[Samples]]:
    for first in range(0, len(windows), size):
        yield windows[first : first + size]


def _rows(outcomes: Outcomes, recordings: Sequence[Recording]) -> Iterator[tuple[str, ...]]:
    for (variant, beam), outcome in outcomes.items():
        reference = outcomes[REFERENCE, beam]
        yield (
            str(variant),
            str(beam),
            f"{outcome.encode_s:.1f}",
            f"{outcome.decode_s:.1f}",
            f"{outcome.total_s:.1f}",
            f"{reference.total_s / outcome.total_s:.2f}",
            f"{_difference(reference, outcome):.2f}",
            f"{_error_rate(outcome, recordings):.2f}",
        )


def _bounds(outcomes: Outcomes) -> Iterator[Bound]:
    for (variant, beam), outcome in outcomes.items():
        if variant == REFERENCE:
            continue
        difference = _difference(outcomes[REFERENCE, beam], outcome)
        exact = variant.compute_type == REFERENCE.compute_type and beam == _GREEDY
        limit = 0.0 if exact else MAX_DIFFERENCE
        yield Bound(
            name=f"{variant}, beam {beam}: words that differ from {REFERENCE.engine}'s",
            measured=f"{difference:.2f} %",
            limit=f"<= {limit:.1f} %",
            kept=difference <= limit,
        )


def _difference(reference: Outcome, outcome: Outcome) -> float:
    """Percent of the reference's words, of all recordings together."""
    return differing_words(" ".join(reference.texts.values()), " ".join(outcome.texts.values()))


def _error_rate(outcome: Outcome, recordings: Sequence[Recording]) -> float:
    return pooled_rate(score(one, Reading(text=outcome.texts[one.name])) for one in recordings)
