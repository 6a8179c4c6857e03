"""One program in a process of its own: loads, reads a clip to be warm, then reads the files.

    python -m bench.versus.worker < ORDER > ANSWER

Both are one line of JSON. What libraries print goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from bench.versus.contenders import BARE, OURS
from bench.versus.programs import Order, loaded
from voice_transcriber.processes.child_side import die_with_parent

_NICENESS = 10  # as our engine child, so that other load on the machine hits all alike


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    die_with_parent()
    order = Order(**asked["order"])
    if order.kind not in (OURS, BARE):
        os.nice(_NICENESS)
    started = time.monotonic()
    with loaded(order) as program:
        program.read([Path(asked["clip"])])
        ready = time.monotonic()
        heard = program.read([Path(path) for path in asked["files"]])
        ended = time.monotonic()
    found = {
        "ready_s": ready - started,
        "wall_s": ended - ready,
        "texts": list(heard.texts),
        "seconds": dict(heard.seconds),
    }
    print(json.dumps(found), file=answer, flush=True)


if __name__ == "__main__":
    main()
