"""`python -m bench [PART]`, without a name all of them; ends with 1 for a broken bound."""

from __future__ import annotations

import argparse
import sys

from bench import accuracy, choices, engines, everyday, lighthouse, options, service
from bench.versus import command as versus

PARTS = {
    "accuracy": (accuracy, "right text, against transcribe()"),
    "options": (options, "word times, translation, several languages, silence"),
    "service": (service, "fast enough to stand on"),
    "everyday": (everyday, "what a person waits for"),
    "pages": (lighthouse, "Lighthouse on every page; needs npm, Chromium and a network"),
    "engines": (engines, "the speech engines side by side: text and seconds"),
    "versus": (versus, "beside openai-whisper, faster-whisper and whisper.cpp"),
    "choices": (choices, "what the performance settings do, on and off"),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="part", metavar="PART")
    for name, (part, text) in PARTS.items():
        part.add_arguments(commands.add_parser(name, help=text))
    arguments = parser.parse_args()
    names = [arguments.part] if arguments.part else list(PARTS)
    kept = [
        PARTS[name][0].run(arguments if arguments.part else parser.parse_args([name]))
        for name in names
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
