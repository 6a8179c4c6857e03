"""Measurements that are made of parts: each part gives bounds, one table shows them all."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.machine import describe
from bench.recordings import DEFAULT_FOLDER
from bench.tables import Bound, bounds_table

Part = Callable[[argparse.Namespace, Path], list[Bound]]


def add_part_arguments(parser: argparse.ArgumentParser, parts: Mapping[str, Part]) -> None:
    parser.add_argument("--audio", type=Path, default=DEFAULT_FOLDER, help="the recordings")
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))


def run_parts(title: str, parts: Mapping[str, Part], arguments: argparse.Namespace) -> bool:
    """Print the bounds; True when every one is kept. Each part has an empty folder of its own."""
    print(f"# {title}\n\n{describe()}\n", flush=True)
    bounds = []
    for name in arguments.only:
        with tempfile.TemporaryDirectory(prefix="voice-transcriber-bench-") as folder:
            print(f"{name} ...", flush=True)
            bounds += parts[name](arguments, Path(folder))
    print(f"\n{bounds_table(bounds)}\n\n{describe()}")
    return all(bound.kept for bound in bounds)
