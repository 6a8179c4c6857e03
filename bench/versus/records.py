"""Finished measurements, each in a file of its own, so that a table can be made of several runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.tables import Bound


@dataclass(frozen=True, kw_only=True)
class Place:
    """What tells one measurement from the others in a folder."""

    workload: str
    contender: str
    size: str
    beam: int
    round: int

    @property
    def file_name(self) -> str:
        parts = (self.workload, self.size, f"beam{self.beam}", self.contender, f"round{self.round}")
        return f"{'_'.join(parts)}.json"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One contender's pass over one workload."""

    place: Place
    text: str  # the workload for people
    kind: str  # of the contender
    settings: Mapping[str, str]  # of ours
    threads: int
    audio_s: float
    files: int
    wall_s: float
    words: int  # of the true texts; 0: there are none
    errors: float
    peak_mb: float  # resident, all processes together
    engine_mb: float | None  # of our engine child
    seconds: Mapping[str, float] = field(default_factory=dict)  # of parts
    machine: str
    other_cores: float  # used by processes that are not ours
    run: str  # measurements of one call of the command share it
    measured_at: str

    @property
    def speed(self) -> float:
        """Seconds of audio in a second."""
        return self.audio_s / self.wall_s

    @property
    def error_rate(self) -> float | None:
        """Percent of the words."""
        return 100 * self.errors / self.words if self.words else None


class Results:
    """The folder of measurements, and of bounds that another part of bench has judged."""

    def __init__(self, folder: Path) -> None:
        self._passes = folder / "passes"
        self._judged = folder / "judged.json"

    def keep(self, found: Measurement) -> None:
        _write(self._passes / found.place.file_name, asdict(found))

    def find(self, place: Place) -> Measurement | None:
        path = self._passes / place.file_name
        return _read(path) if path.exists() else None

    def all(self) -> list[Measurement]:
        found = [_read(path) for path in self._passes.glob("*.json")]
        return sorted(found, key=lambda one: one.measured_at)

    def keep_judged(self, bounds: Sequence[Bound]) -> None:
        _write(self._judged, [asdict(bound) for bound in bounds])

    def judged(self) -> list[Bound]:
        """Empty when none were kept."""
        if not self._judged.exists():
            return []
        return [Bound(**bound) for bound in json.loads(self._judged.read_text(encoding="utf-8"))]


def _write(path: Path, content: object) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1), encoding="utf-8")
    part.replace(path)


def _read(path: Path) -> Measurement:
    content = json.loads(path.read_text(encoding="utf-8"))
    return Measurement(**{**content, "place": Place(**content["place"])})
