"""Fast enough to stand on: the server's costs against their bounds, all in one run."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from bench.decoder import decoder_bound
from bench.latency import latency_bounds
from bench.memory import web_memory_bounds
from bench.overhead import overhead_bounds
from bench.parts import Part, add_part_arguments, run_parts
from bench.startup import startup_bound
from bench.tables import Bound
from bench.widen import SIZES

_LONG, _SPEECH, _CLIP = "en_12min.opus", "en_30s.flac", "en_5s.wav"


def _startup(_: argparse.Namespace, folder: Path) -> list[Bound]:
    return [startup_bound(folder)]


def _latency(arguments: argparse.Namespace, folder: Path) -> list[Bound]:
    audio: Path = arguments.audio
    return latency_bounds(folder, long_file=audio / _LONG, clip=audio / _CLIP)


def _memory(_: argparse.Namespace, folder: Path) -> list[Bound]:
    return web_memory_bounds(folder)


def _overhead(arguments: argparse.Namespace, folder: Path) -> list[Bound]:
    return overhead_bounds(
        folder,
        speech=arguments.audio / _LONG,
        warm_up=arguments.audio / _SPEECH,
        size=arguments.size,
        rounds=arguments.rounds,
    )


def _decoder(arguments: argparse.Namespace, folder: Path) -> list[Bound]:
    return [decoder_bound(folder, speech=arguments.audio / _LONG)]


PARTS: Mapping[str, Part] = {
    "startup": _startup,
    "latency": _latency,
    "memory": _memory,
    "decoder": _decoder,
    "overhead": _overhead,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_part_arguments(parser, PARTS)
    parser.add_argument(
        "--size",
        choices=("demo", *SIZES),
        default="demo",
        help="dimensions to which the demo model is widened for the overhead",
    )
    parser.add_argument("--rounds", type=int, default=3, help="of the overhead")


def run(arguments: argparse.Namespace) -> bool:
    return run_parts("Fast enough to stand on", PARTS, arguments)
