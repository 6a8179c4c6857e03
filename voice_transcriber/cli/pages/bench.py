"""The manual page and the arguments of `bench`."""

from __future__ import annotations

import argparse

from voice_transcriber.cli.pages.page import Commands, Page, add_page

PAGE = Page(
    summary="measure how fast each model is on this machine",
    description="""
        Transcribe a recording several times with each model, through the whole pipeline, and
        print the real-time factor (seconds of work for a second of audio: 0.1 is ten times faster
        than speech; the median, and the lowest and highest), the average use of the CPU (100 %
        is one core) and the peak memory (the sum of the peaks of the processes).

        It works in a data folder of its own, so a server may run meanwhile, but the two then
        share the machine. The sample takes a few seconds; give a recording of some minutes for
        figures that hold for long files.

        --profile adds the functions in which the engine spends its time. The engine then runs in
        a thread of this process, under cProfile, which slows Python code down: compare the shares,
        not the figures.
    """,
    examples=(
        ("every model that is on this machine", "{prog}"),
        ("two models on a recording of one's own", "{prog} --model base,small talk.mp3"),
        ("where the time goes", "{prog} --model base --iterations 1 --profile"),
    ),
)


def add(commands: Commands) -> None:
    parser = add_page(commands, "bench", PAGE, run="bench:run")
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="a recording (default: the shipped sample)"
    )
    parser.add_argument(
        "-m",
        "--model",
        dest="models",
        metavar="NAMES",
        type=_names,
        default=(),
        help="models, commas between them (default: all that are on this machine)",
    )
    parser.add_argument(
        "--iterations", metavar="N", type=_at_least(1), default=3, help="measured runs (default: 3)"
    )
    parser.add_argument(
        "--warm-up",
        metavar="N",
        type=_at_least(0),
        default=1,
        help="runs before them, the first of which loads the model (default: 1)",
    )
    parser.add_argument("--profile", action="store_true", help="show the engine's top functions")
    parser.add_argument("--json", action="store_true", help="print JSON")


class _at_least:
    def __init__(self, low: int) -> None:
        self._low = low

    def __call__(self, text: str) -> int:
        if not text.isdecimal() or int(text) < self._low:
            raise argparse.ArgumentTypeError(f"give a whole number from {self._low}")
        return int(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
