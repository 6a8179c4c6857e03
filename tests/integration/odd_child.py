"""A decoder child that has gone wrong, in the way that its argument names."""

from __future__ import annotations

import sys
import time

from voice_transcriber.processes.child_side import take_channel

BODIES = {
    "truncated": b"\0\0\0\x09{",
    "no-json": b"\0\0\0\x04oops",
    "no-object": b"\0\0\0\x02[]",
    "too-long": b"\xff\xff\xff\xff",
    "odd-error": b'\0\0\0\x0c{"error": 1}',
}


def main(way: str) -> None:
    channel = take_channel()
    if way in BODIES:
        channel._writer.write(BODIES[way])
        channel._writer.flush()
    if way in {"truncated", "silent"}:
        return
    if way == "no-start":
        raise ImportError("a library is missing")
    time.sleep(600)


if __name__ == "__main__":
    main(sys.argv[1])
