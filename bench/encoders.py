"""Every encoder of this machine on the same window, in alternation: seconds for a window.

    python -m bench.encoders base

The models are demo with the dimensions of the size that is named. Each encoder takes one window,
then four of them together, before the next encoder's turn.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.machine import OtherLoad, describe
from bench.tables import markdown
from bench.widen import SIZES, write_widened
from voice_transcriber.settings import cpu_threads

ROUNDS = 5
TOGETHER = 4


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.encoders", description=__doc__)
    parser.add_argument("size", choices=SIZES)
    size = parser.parse_args().size
    os.environ["OMP_WAIT_POLICY"] = "passive"  # as the engine's child sets it
    with tempfile.TemporaryDirectory() as folder, OtherLoad() as other:
        checkpoint = write_widened(size, Path(folder, f"demo-{size}.pt"))
        seconds = measured(checkpoint)
    sys.stdout.write(f"{describe()}; {other}\n\n{_table(seconds)}\n")


def measured(checkpoint: Path) -> Mapping[str, tuple[Sequence[float], Sequence[float]]]:
    """By encoder, seconds for a window: of one alone, and of each of four together."""
    import torch

    from voice_transcriber.engines.auto.speech import measured_speech

    torch.set_num_threads(cpu_threads(0))
    window = measured_speech()[0]
    models = dict(_models(checkpoint))
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in models}
    for model in models.values():
        model.encode([window])  # warms up
    for _ in range(ROUNDS):
        for name, model in models.items():
            for count, seconds in zip((1, TOGETHER), found[name], strict=True):
                start_s = time.perf_counter()
                model.encode([window] * count)
                seconds.append((time.perf_counter() - start_s) / count)
    return found


def _models(checkpoint: Path) -> Iterator[tuple[str, Any]]:
    from voice_transcriber.engines.compute import AUTO_CHOOSES_FROM, types_of
    from voice_transcriber.engines.encoders.installed import BACKENDS, OWN, is_installed
    from voice_transcriber.engines.registry import make_engine

    for engine in AUTO_CHOOSES_FROM:
        for compute_type in types_of(engine, "cpu"):
            yield (
                f"{engine}, {compute_type}",
                make_engine(engine, encoder=OWN).load(
                    checkpoint, size=checkpoint.stem, device="cpu", compute_type=compute_type
                ),
            )
    for encoder in filter(is_installed, BACKENDS):
        yield (
            encoder,
            make_engine("faster-whisper", encoder=encoder).load(
                checkpoint, size=checkpoint.stem, device="cpu", compute_type="int8"
            ),
        )


def _table(seconds: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> str:
    first = median(next(iter(seconds.values()))[0])
    rows = [
        (name, *map(_spread, both), f"{first / median(both[0]):.1f}")
        for name, both in seconds.items()
    ]
    return markdown(
        ("encoder", "one window, s", f"{TOGETHER} together, s each", "times as fast"), rows
    )


def _spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.3f} ({min(seconds):.3f} to {max(seconds):.3f})"


if __name__ == "__main__":
    main()
