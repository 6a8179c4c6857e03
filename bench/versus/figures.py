"""From measurements to medians, ranges and ratios."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.versus.records import Measurement


@dataclass(frozen=True)
class Spread:
    """Median and range of a few values."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        found = list(values)
        return cls(statistics.median(found), min(found), max(found))

    def text(self, digits: int) -> str:
        median = f"{self.median:.{digits}f}"
        if self.low == self.high:
            return median
        return f"{median} ({self.low:.{digits}f} to {self.high:.{digits}f})"


@dataclass(frozen=True, kw_only=True)
class Row:
    """All rounds of one contender at one workload with one beam."""

    workload: str
    beam: int
    contender: str
    rounds: Sequence[Measurement]

    @property
    def wall_s(self) -> Spread:
        return Spread.of(one.wall_s for one in self.rounds)

    @property
    def error_rate(self) -> float | None:
        rates = [one.error_rate for one in self.rounds if one.error_rate is not None]
        return statistics.median(rates) if rates else None

    @property
    def peak_mb(self) -> float:
        return max(one.peak_mb for one in self.rounds)

    @property
    def engine_mb(self) -> float | None:
        return max((one.engine_mb for one in self.rounds if one.engine_mb), default=None)

    @property
    def kind(self) -> str:
        return self.rounds[0].kind


def rows(measurements: Iterable[Measurement]) -> list[Row]:
    """In the order in which they were measured first."""
    found: dict[tuple[str, int, str], list[Measurement]] = {}
    for one in measurements:
        key = (one.place.workload, one.place.beam, one.place.contender)
        found.setdefault(key, []).append(one)
    return [
        Row(workload=workload, beam=beam, contender=contender, rounds=rounds)
        for (workload, beam, contender), rounds in found.items()
    ]


def ratio(slower: Row, faster: Row) -> Spread | None:
    """How many times as fast, round by round; None where no round has both."""
    ours = {one.place.round: one.wall_s for one in faster.rounds}
    theirs = {one.place.round: one.wall_s for one in slower.rounds}
    common = sorted(ours.keys() & theirs.keys())
    if not common:
        return None
    return Spread.of(theirs[number] / ours[number] for number in common)


def is_of_one_run(*together: Row) -> bool:
    """True when each round was measured in one call of the command."""
    runs: dict[int, set[str]] = {}
    for row in together:
        for one in row.rounds:
            runs.setdefault(one.place.round, set()).add(one.run)
    return all(len(found) == 1 for found in runs.values())


class Table:
    """Rows by workload, beam and contender."""

    def __init__(self, found: Sequence[Row]) -> None:
        self.rows = found
        self._by_key = {(row.workload, row.beam, row.contender): row for row in found}

    def row(self, workload: str, beam: int, contender: str) -> Row | None:
        return self._by_key.get((workload, beam, contender))

    def groups(self, *prefixes: str) -> list[tuple[str, int]]:
        """Workloads, whose names begin so, with their beams."""
        found = ((row.workload, row.beam) for row in self.rows if row.workload.startswith(prefixes))
        return list(dict.fromkeys(found))

    def best(self, workload: str, beam: int, contenders: Iterable[str]) -> Row | None:
        found = [row for name in contenders if (row := self.row(workload, beam, name))]
        return min(found, key=lambda row: row.wall_s.median, default=None)
