"""A clock that jumps: libfaketime under the program alone, moved while jobs run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults.checker import Violation, verdict
from tests.faults.progress import goes_on_s, standing
from tests.faults.server import Server
from tests.faults.sounds import Texts
from tests.running import until

LIBRARY = "libfaketime.so.1"
FOLDERS = (Path("/usr/lib"), Path("/usr/lib64"), Path("/usr/local/lib"))
NOT_IN_CHILDREN = Path(__file__).parent / "clock_site"
HOUR_S = 3600
DAY_S = 24 * HOUR_S
JUMPS_S = (HOUR_S, -HOUR_S, DAY_S, -DAY_S)
SETTLE_S = 10.0  # libfaketime looks at its file once a second
TOLERANCE_S = 60.0


def library() -> Path | None:
    """libfaketime, where it is installed."""
    for folder in FOLDERS:
        for found in sorted(folder.glob(f"**/faketime/{LIBRARY}")):
            return found
    return None


def run(
    folder: Path,
    *,
    jumps_s: Sequence[int],
    recordings: Sequence[Path],
    texts: Texts,
    faketime: Path,
) -> dict[str, Any]:
    """All jumps one after the other, each while jobs run and wait."""
    folder.mkdir(parents=True, exist_ok=True)
    offset = folder / "offset"
    _set(offset, 0)
    server = Server(
        folder,
        LD_PRELOAD=str(faketime),
        PYTHONPATH=str(NOT_IN_CHILDREN),
        FAKETIME_TIMESTAMP_FILE=str(offset),
        FAKETIME_CACHE_DURATION="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
        CLEANUP_INTERVAL="1",
    )
    times: list[str] = []
    try:
        server.start()
        for jump_s in jumps_s:
            for recording in recordings:
                server.send(recording)
            before = standing(server)
            _set(offset, jump_s)
            until(partial(_is_moved, server, jump_s), patience_s=SETTLE_S)
            goes_on_s(server, before)
            answer = server.send(recordings[0])
            assert answer is not None, server.last_words()
            assert answer.status_code == 202, answer.text
            server.finish_all()
            _set(offset, 0)
            until(partial(_is_moved, server, 0), patience_s=SETTLE_S)
        times = _negative_times(server)
        found = verdict(server, texts)
    finally:
        server.close()
    found += [Violation(invariant="I4", what=one) for one in times]
    return {
        "jumps_s": list(jumps_s),
        "acknowledged": len(server.accepted),
        "violations": [str(one) for one in found],
    }


def _set(offset: Path, seconds: int) -> None:
    part = offset.with_suffix(".part")
    part.write_text(f"{seconds:+d}\n", encoding="utf-8")
    part.replace(offset)


def _is_moved(server: Server, jump_s: int) -> bool:
    """By the date of its answers."""
    told = parsedate_to_datetime(server.web.get("/health").headers["Date"]).timestamp()
    return abs(told - time.time() - jump_s) < TOLERANCE_S


def _negative_times(server: Server) -> list[str]:
    """A duration that a client is shown is never negative."""
    wrong = []
    for job in server.jobs():
        timings = job["timings"]
        if min([job["eta_s"] or 0.0, *_numbers(timings)]) < 0:
            wrong.append(f"job {job['id']} shows a negative time: {timings}")
    return wrong


def _numbers(values: Any) -> list[float]:
    if isinstance(values, dict):
        return [number for value in values.values() for number in _numbers(value)]
    return [float(values)] if isinstance(values, int | float) else []
