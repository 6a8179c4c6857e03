"""Where a job's time went, in the words of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_NAMES: Mapping[str, str] = {
    "queue": "Waiting in the queue",
    "download": "Downloading the model",
    "decode": "Decoding the file",
    "load": "Loading the model",
    "vad": "Finding speech",
    "plan": "Finding speech",
    "language": "Detecting the language",
    "features": "Preparing the sound",
    "encode": "Listening",
    "text": "Writing the text",
    "align": "Timing the words",
    "remote": "Remote server",
    "write": "Saving",
    "wait": "Waiting for the engine",
}
REST = "All else"


@dataclass(frozen=True)
class StageTime:
    """One row of the table."""

    name: str
    seconds: float
    percent: float  # of the whole time


def stage_times(performance: Mapping[str, Any]) -> Sequence[StageTime]:
    """The stages in the order of the work, then what remains of the whole time."""
    queue_s = performance.get("queue_s") or 0.0
    stages_s: dict[str, float] = dict(performance.get("stages_s") or {})
    if stages_s and queue_s:
        stages_s["queue"] = queue_s
    known = [name for name in _NAMES if name in stages_s]
    others = [name for name in stages_s if name not in _NAMES]
    measured_s = sum(stages_s.values())
    whole_s = max(queue_s + (performance.get("wall_s") or 0.0), measured_s)
    if not whole_s:
        return ()
    rows = [(_NAMES.get(name, _spoken(name)), stages_s[name]) for name in known + others]
    if stages_s:
        rows.append((REST, whole_s - measured_s))
    return [StageTime(name, seconds, round(100 * seconds / whole_s, 1)) for name, seconds in rows]


def _spoken(name: str) -> str:
    return name.replace("_", " ").capitalize()
