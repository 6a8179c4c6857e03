"""Memory that ends: the program in a control group, beside something that eats all of it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.checker import verdict
from tests.faults.disk import MEGABYTE
from tests.faults.figures import spread
from tests.faults.kills import CHILDREN
from tests.faults.progress import goes_on_s, standing
from tests.faults.server import Server
from tests.faults.sounds import Texts
from tests.faults.visitors import visitors
from tests.running import until

GROUPS = Path("/sys/fs/cgroup/memory")
LIMIT_BYTES = 300 * MEGABYTE  # the program and its engine take about half of it
BLOCK_BYTES = 4 * MEGABYTE
EATERS = 2  # each becomes far larger than the program, so that the kernel never takes that one
PATIENCE_S = 30.0
# Asks for memory until the kernel ends somebody of the group.
EATER = """
import sys, time
eaten = []
for block in range(int(sys.argv[1])):
    eaten.append(bytearray(b'x' * int(sys.argv[2])))
    time.sleep(0.02)
time.sleep(3600)
"""


def why_not() -> str | None:
    """Why there are no control groups for memory here; None when there are."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "control groups need root on Linux"
    if not (GROUPS / "memory.limit_in_bytes").exists():
        return "this machine has no control groups (v1) for memory"
    return None


def run(folder: Path, *, rounds: int, recordings: Sequence[Path], texts: Texts) -> dict[str, Any]:
    """Each round the kernel ends somebody: it must be the engine, and its jobs must go on."""
    killed, resumed_s = 0, []
    server = Server(folder)
    try:
        with _group(LIMIT_BYTES) as group:
            server.launch()
            _enter(group, server.process.pid)
            assert server.wait_ready(), server.last_words()
            with visitors(server, count=2) as visits:
                for _ in range(rounds):
                    for recording in recordings:
                        server.send(recording)
                    until(lambda: server.web.get("/health").json()["details"]["engine"]["models"])
                    (engine,) = server.children(CHILDREN["engine"])
                    before = standing(server)
                    with _eater(group):
                        until(lambda engine=engine: not _lives(engine.pid), patience_s=PATIENCE_S)
                    killed += 1
                    resumed_s.append(goes_on_s(server, before))
                    server.finish_all()
                alive = server.is_alive
            found = verdict(server, texts)
    finally:
        server.close()
    return {
        "rounds": rounds,
        "engines_killed_by_the_kernel": killed,
        "web_alive": alive,
        "failed_requests": visits.failed,
        "requests": len(visits.took_s),
        "resumed_s": spread(resumed_s),
        "violations": [str(one) for one in found],
    }


@contextmanager
def _group(limit_bytes: int) -> Iterator[Path]:
    group = GROUPS / f"voice-transcriber-test-{os.getpid()}"
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text(str(limit_bytes))
    try:
        yield group
    finally:
        for pid in (group / "tasks").read_text().split():
            with contextlib.suppress(OSError):
                (GROUPS / "tasks").write_text(pid)
        until(lambda: _removed(group), patience_s=10)


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except OSError:
        return False
    return True


def _enter(group: Path, pid: int) -> None:
    (group / "cgroup.procs").write_text(str(pid))


@contextmanager
def _eater(group: Path) -> Iterator[None]:
    """Several that share it, so that none is the largest of the group."""
    blocks = LIMIT_BYTES // BLOCK_BYTES // EATERS
    words = [sys.executable, "-c", EATER, str(blocks), str(BLOCK_BYTES)]
    with contextlib.ExitStack() as eaters:
        for _ in range(EATERS):
            process = eaters.enter_context(subprocess.Popen(words))
            eaters.callback(process.kill)
            _enter(group, process.pid)
        yield


def _lives(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
