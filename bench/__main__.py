"""`python -m bench [accuracy | service]`, without a name both; ends with 1 for a broken bound."""

from __future__ import annotations

import argparse
import sys

from bench import accuracy, service


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parts = parser.add_subparsers(dest="part", metavar="PART")
    accuracy.add_arguments(parts.add_parser("accuracy", help="right text, against transcribe()"))
    service.add_arguments(parts.add_parser("service", help="fast enough to stand on"))
    arguments = parser.parse_args()
    if arguments.part is None:
        kept = [accuracy.run(parser.parse_args(["accuracy"]))]
        kept.append(service.run(parser.parse_args(["service"])))
    else:
        kept = [{"accuracy": accuracy, "service": service}[arguments.part].run(arguments)]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
