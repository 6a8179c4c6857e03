"""What the performance settings do, each on and off in one run."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from bench.audio_choice import audio_bounds
from bench.gpu_choice import gpu_bounds
from bench.memory_choice import memory_bounds
from bench.parts import Part, add_part_arguments, run_parts
from bench.tables import Bound
from bench.widen import SIZES


def _memory(arguments: argparse.Namespace, folder: Path) -> list[Bound]:
    return memory_bounds(folder, audio=arguments.audio, size=arguments.size)


def _audio(arguments: argparse.Namespace, folder: Path) -> list[Bound]:
    return audio_bounds(folder, audio=arguments.audio)


def _gpu(arguments: argparse.Namespace, folder: Path) -> list[Bound]:
    return gpu_bounds(folder, audio=arguments.audio, size=arguments.size)


PARTS: Mapping[str, Part] = {"memory": _memory, "audio": _audio, "gpu": _gpu}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_part_arguments(parser, PARTS)
    parser.add_argument(
        "--size",
        choices=SIZES,
        default="base",
        help="dimensions to which the demo model is widened for memory and gpu",
    )


def run(arguments: argparse.Namespace) -> bool:
    return run_parts("Performance settings, on and off", PARTS, arguments)
