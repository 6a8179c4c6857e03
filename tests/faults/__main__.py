"""`python -m tests.faults [PART ...]`: the long form of the fault tests, and its report.

Without names: every part that has no result yet. Results are kept in tests/faults/results, so it
may be interrupted and called again. Ends with 1 when a promise was not kept.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.faults.parts import BY_NAME, PARTS, Part
from tests.faults.report import write_report
from tests.faults.results import FOLDER, keep, kept, result_of


def main() -> int:
    arguments = _arguments()
    if arguments.list:
        for part in PARTS:
            print(f"{'done' if kept(part.name) else '    '}  {part.name:20} {part.title}")
        return 0
    if arguments.anew:
        shutil.rmtree(FOLDER, ignore_errors=True)
    wanted = [BY_NAME[name] for name in arguments.parts] or [
        part for part in PARTS if kept(part.name) is None
    ]
    ran = [_run(part) for part in wanted]
    write_report()
    return 0 if all(ran) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *BY_NAME], metavar="PART")
    parser.add_argument("--list", action="store_true", help="the parts, and which are done")
    parser.add_argument("--anew", action="store_true", help="forget all results first")
    return parser.parse_args()


def _run(part: Part) -> bool:
    """Whether every promise was kept."""
    if reason := part.why_not():
        print(f"{part.name}: not run: {reason}", flush=True)
        return False
    print(f"{part.name}: {part.title}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix=f"faults-{part.name}-"))
    begun_s = time.monotonic()
    try:
        figures = part.run(folder)
    except Exception:  # the other parts are worth running
        traceback.print_exc()
        print(f"  did not come to its end; its files are in {folder}", flush=True)
        return False
    keep(result_of(part.name, took_s=time.monotonic() - begun_s, figures=figures))
    for bound in part.bounds:
        verdict = "kept" if bound.kept(figures) else "BROKEN"
        print(f"  {verdict}: {bound.promise}: {bound.found(figures)}", flush=True)
    is_kept = all(bound.kept(figures) for bound in part.bounds)
    if is_kept:
        shutil.rmtree(folder)
    else:
        print("\n".join(figures["violations"][:20]), flush=True)
        print(f"  files: {folder}", flush=True)
    return is_kept


if __name__ == "__main__":
    sys.exit(main())
