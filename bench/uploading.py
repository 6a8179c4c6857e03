"""A large upload by curl against copies of the same file on the same disk."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path

from bench.app import App, running_app
from bench.machine import OtherLoad
from bench.tables import Bound
from bench.timing import call_s

LIMIT = 0.5  # of the speed of a copy that is on the disk when it ends, as an upload is
UPLOAD_MB = 100
ROUNDS = 5


def upload_bounds(folder: Path) -> list[Bound]:
    """Each round has bytes of its own, and begins with nothing that waits to be written."""
    if shutil.which("curl") is None:
        print("upload: left out, there is no curl", flush=True)
        return []
    source, copy = folder / "noise.bin", folder / "copy.bin"
    times_s: dict[str, list[float]] = {"upload": [], "cp": [], "cp, flushed": []}
    computing_s = []
    with running_app(folder) as app, OtherLoad() as other:
        ways: dict[str, Callable[[], object]] = {
            "cp": lambda: _run("cp", source, copy),
            "cp, flushed": lambda: _run("dd", f"if={source}", f"of={copy}", "bs=1M", "conv=fsync"),
            "upload": lambda: _upload(app, source),
        }
        for _ in range(ROUNDS):
            source.write_bytes(os.urandom(UPLOAD_MB * 1_000_000))
            for name, way in ways.items():
                os.sync()
                before_s = sum(app.process.cpu_times()[:2])
                times_s[name].append(call_s(way))
                if name == "upload":
                    computing_s.append(sum(app.process.cpu_times()[:2]) - before_s)
                copy.unlink(missing_ok=True)
    median_s = {name: statistics.median(seconds) for name, seconds in times_s.items()}
    share = median_s["cp, flushed"] / median_s["upload"]
    speeds = ", ".join(
        f"{name} {UPLOAD_MB / seconds:.0f} MB/s" for name, seconds in median_s.items()
    )
    return [
        Bound(
            name=f"upload of {UPLOAD_MB} MB / copy that is flushed, speed",
            measured=f"{share:.2f}",
            limit=f">= {LIMIT:.2f}",
            kept=share >= LIMIT,
            detail=f"medians of {ROUNDS}: {speeds}; the server computes "
            f"{statistics.median(computing_s):.2f} s; {other}",
        )
    ]


def _upload(app: App, path: Path) -> None:
    address = str(app.web.base_url.join("/api/v1/jobs"))
    answer = _run("curl", "-sS", "--noproxy", "*", "-F", f"file=@{path}", address)
    assert "id" in json.loads(answer), answer


def _run(*command: str | Path) -> bytes:
    return subprocess.run(command, check=True, capture_output=True).stdout
