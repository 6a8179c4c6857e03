"""Hostile recordings through the real server: each ends soon, and nothing foreign is touched.

`python -m tests.faults.hostile_media [FILES]` runs it by itself.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.faults import corpus
from tests.faults.canary import Canary
from tests.faults.corpus import Hostile
from tests.faults.figures import spread
from tests.faults.server import LIVE, Server
from voice_transcriber.errors import EmptyFile, MediaError, PoisonWindow

FILES = 200
LIMIT_S = 60.0
PATIENCE_S = 120.0  # longer than the limit, so that it can be seen to be broken
MAX_DURATION_S = 3600.0
SIDE_BY_SIDE = 2
POLL_S = 0.05


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one file ended."""

    name: str
    kind: str
    end: str  # "completed", the code of an error, or what should not be
    took_s: float  # from the upload's answer on
    audio_s: float | None

    @property
    def violation(self) -> str | None:
        if self.end not in ENDS:
            return f"{self.name} ended with {self.end}"
        if self.took_s > LIMIT_S:
            return f"{self.name} took {self.took_s:.0f} s"
        if self.end == "completed" and not 0 <= (self.audio_s or 0) <= MAX_DURATION_S + 1:
            return f"{self.name} gave {self.audio_s} s of audio"
        return None


def _codes(error: type[MediaError]) -> Iterator[str]:
    yield error.code
    for kind in error.__subclasses__():
        yield from _codes(kind)


# Sound at full scale is what the fake engine crashes at: PoisonWindow is its answer to loud noise.
ENDS = frozenset(
    {"completed", EmptyFile.code, PoisonWindow.code, *_codes(MediaError)} - {MediaError.code}
)


def run(folder: Path, *, files: int = FILES, seed: int = 1) -> dict[str, Any]:
    """Figures; `violations` is empty when every promise was kept."""
    canary = Canary(folder / "canary")
    media = folder / "media"
    media.mkdir()
    server = Server(folder, MAX_DURATION=f"{MAX_DURATION_S:.0f}s", LOG_LEVEL="INFO")
    server.start()
    canary.opened()  # what making it left
    try:
        before = _identity(server)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as senders:
            traps = corpus.write(media, files=files, seed=seed, canary=canary)
            outcomes = [
                sent.result() for sent in [senders.submit(_send, server, trap) for trap in traps]
            ]
        violations = [said for outcome in outcomes if (said := outcome.violation)]
        if opened := canary.opened():
            violations.append(f"opened: {', '.join(opened)}")
        if canary.calls:
            violations.append(f"{canary.calls} connections to the canary's port")
        if _identity(server) != before:
            violations.append("the server was restarted")
        violations += [f"{fault.path} answered {fault.status}" for fault in server.log.faults]
    finally:
        server.close()
        canary.close()
    return {
        "violations": violations,
        "files": len(outcomes),
        "kinds": len({outcome.kind for outcome in outcomes}),
        "ends": dict(Counter(outcome.end for outcome in outcomes)),
        "took_s": spread([outcome.took_s for outcome in outcomes]),
        "slowest": [
            f"{outcome.name} ({outcome.end}): {outcome.took_s:.1f} s"
            for outcome in sorted(outcomes, key=lambda one: -one.took_s)[:5]
        ],
        "opened": opened,
        "connections": canary.calls,
    }


def _identity(server: Server) -> tuple[int, float]:
    process = psutil.Process(server.process.pid)
    return process.pid, process.create_time()


def _send(server: Server, trap: Hostile) -> Outcome:
    with server.client() as web:
        answer = server.send(trap.path, web)
        trap.path.unlink()
        begun_s = time.monotonic()
        if answer is None:
            return _outcome(trap, "no answer", begun_s)
        if answer.status_code != 202:
            return _outcome(trap, str(answer.json().get("code")), begun_s)
        address = f"/api/v1/jobs/{answer.json()['id']}"
        while (job := web.get(address).json())["status"] in LIVE:
            if time.monotonic() - begun_s > PATIENCE_S:
                return _outcome(trap, f"still {job['status']}", begun_s)
            time.sleep(POLL_S)
        return _outcome(trap, job["status"], begun_s, job)


def _outcome(
    trap: Hostile, end: str, begun_s: float, job: Mapping[str, Any] | None = None
) -> Outcome:
    error = job["error"] if job else None
    return Outcome(
        name=trap.path.name,
        kind=trap.kind,
        end=str(error["code"]) if error else end,
        took_s=time.monotonic() - begun_s,
        audio_s=job["duration_s"] if job else None,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.hostile_media")
    parser.add_argument("files", nargs="?", type=int, default=FILES)
    with tempfile.TemporaryDirectory(prefix="hostile-media-") as folder:
        figures = run(Path(folder), files=parser.parse_args().files)
    print(json.dumps(figures, indent=1))
    return 1 if figures["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
