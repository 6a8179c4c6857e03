"""The measurements of a folder as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from bench.tables import Bound, bounds_table, markdown
from bench.versus.contenders import OURS, SERVICE, title
from bench.versus.figures import Row, Table, is_of_one_run, ratio, rows
from bench.versus.records import Measurement

BUSY_CORES = 0.5
_HEAD = (
    "beam", "program", "rounds", "seconds", "real-time factor", "WER %", "peak MB", "engine MB",
    "slower than ours",
)  # fmt: skip


def report(measurements: Sequence[Measurement], judged: Sequence[Bound]) -> str:
    """Tables by workload, then the figures to reach."""
    parts = [_machines(measurements)]
    in_order = sorted(rows(measurements), key=lambda row: row.workload)
    for workload, group in groupby(in_order, lambda row: row.workload):
        found = list(group)
        parts.append(f"## {workload}: {found[0].rounds[0].text}\n\n{_table(found)}")
    if judged:
        parts.append(f"## Figures to reach\n\n{bounds_table(judged)}")
    return "\n\n".join(parts)


def _machines(measurements: Iterable[Measurement]) -> str:
    """Each machine once, with a warning where others were at work.

    The load average before each pass stands with its measurement.
    """
    measurements = list(measurements)
    lines = list(dict.fromkeys(one.machine.partition("; load")[0] for one in measurements))
    lines += [
        f"WARNING: others used {one.other_cores:.1f} cores during {one.place.workload}, "
        f"{one.place.contender}, beam {one.place.beam}, round {one.place.round}."
        for one in measurements
        if one.other_cores > BUSY_CORES
    ]
    return "\n".join(lines)


def _table(found: Sequence[Row]) -> str:
    table = Table(found)
    lines = list(_lines(table, sorted(found, key=lambda row: -row.beam)))
    extra = [line for row in found for line in _seconds(row)]
    return "\n".join([markdown(_HEAD, lines), "", *extra]).rstrip()


def _lines(table: Table, found: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    for row in found:
        ours = table.row(row.workload, row.beam, OURS) or table.row(row.workload, row.beam, SERVICE)
        times = ratio(row, ours) if ours and ours is not row else None
        mixed = "" if ours is None or is_of_one_run(row, ours) else " *"
        first = row.rounds[0]
        yield (
            str(row.beam),
            title(row.contender, first.settings),
            str(len(row.rounds)),
            row.wall_s.text(1),
            f"{row.wall_s.median / first.audio_s:.4f}",
            "-" if row.error_rate is None else f"{row.error_rate:.2f}",
            f"{row.peak_mb:.0f}",
            "-" if row.engine_mb is None else f"{row.engine_mb:.0f}",
            "" if times is None else f"{times.text(2)}{mixed}",
        )


def _seconds(row: Row) -> Iterator[str]:
    """The parts of each round, where a contender has any."""
    for one in row.rounds:
        if one.seconds:
            parts = ", ".join(f"{name} {value:.3f}" for name, value in one.seconds.items())
            yield f"- {row.contender}, beam {row.beam}, round {one.place.round}: {parts}"
