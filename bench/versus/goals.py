"""The figures that are to be reached, each against what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bench.tables import Bound
from bench.versus.contenders import BARE, BATCHED, FASTER, OURS, SERVICE, WHISPER
from bench.versus.figures import Row, Spread, Table, is_of_one_run, ratio, rows
from bench.versus.records import Measurement

FLAT = 1.1  # times the memory for many times the audio
FILLS_BATCHES_S = 480.0  # a shorter file has fewer windows at once, and takes less memory
TIMES_AS_FAST: Mapping[str, float] = {"batched": 2.0, FASTER: 3.0, WHISPER: 10.0}
THROUGHPUT = 2.5
SERVICE_COST = 1.05
URGENT = 3.0


def bounds(measurements: Iterable[Measurement]) -> Iterator[Bound]:
    """What there are measurements for."""
    table = Table(rows(measurements))
    for workload, beam in table.groups("long", "hour"):
        yield from _fast_enough(table, workload, beam)
    for workload, beam in table.groups("clips"):
        yield from _throughput(table, workload, beam)
    yield from _service_cost(table)
    yield from _urgent(table)
    yield from _memory(table)


def _fast_enough(table: Table, workload: str, beam: int) -> Iterator[Bound]:
    ours = table.row(workload, beam, OURS)
    if ours is None:
        return
    others = {
        "batched": table.best(workload, beam, BATCHED),
        FASTER: table.row(workload, beam, FASTER),
        WHISPER: table.row(workload, beam, WHISPER),
    }
    for name, other in others.items():
        if other is None or (times := ratio(other, ours)) is None:
            continue
        yield _at_least(
            f"{workload}, beam {beam}: times as fast as {other.contender}",
            times,
            TIMES_AS_FAST[name],
            other,
            ours,
        )
        if ours.error_rate is not None and other.error_rate is not None:
            yield Bound(
                name=f"{workload}, beam {beam}: word errors beside {other.contender}",
                measured=f"{ours.error_rate:.2f} %",
                limit=f"<= {other.error_rate:.2f} %",
                kept=ours.error_rate <= other.error_rate,
            )


def _throughput(table: Table, workload: str, beam: int) -> Iterator[Bound]:
    other = table.row(workload, beam, FASTER)
    for contender in (OURS, SERVICE):
        ours = table.row(workload, beam, contender)
        if ours and other and (times := ratio(other, ours)):
            name = f"{workload}, beam {beam}: throughput of {contender} / {other.contender}"
            yield _at_least(name, times, THROUGHPUT, other, ours)


def _service_cost(table: Table) -> Iterator[Bound]:
    for workload, beam in table.groups("overhead"):
        service, bare = (table.row(workload, beam, name) for name in (SERVICE, BARE))
        if not service or not bare:
            continue
        bare_s = {one.place.round: one.seconds["windows_s"] for one in bare.rounds}
        shares = [
            one.wall_s / bare_s[one.place.round]
            for one in service.rounds
            if one.place.round in bare_s
        ]
        if shares:
            yield _at_most(
                f"{workload}: service / its engine on the windows", Spread.of(shares), SERVICE_COST
            )


def _urgent(table: Table) -> Iterator[Bound]:
    for workload, beam in table.groups("express"):
        row = table.row(workload, beam, SERVICE)
        assert row is not None
        shares = [one.seconds["busy_s"] / one.seconds["idle_s"] for one in row.rounds]
        yield _at_most(f"{workload}: urgent clip / on an idle server", Spread.of(shares), URGENT)


def _memory(table: Table) -> Iterator[Bound]:
    long_enough = []
    for workload, beam in table.groups("length"):
        ours, other = (table.row(workload, beam, name) for name in (OURS, FASTER))
        if ours and ours.engine_mb and ours.rounds[0].audio_s >= FILLS_BATCHES_S:
            long_enough.append(ours)
        if ours and ours.engine_mb and other:
            yield Bound(
                name=f"{workload}: engine child beside {other.contender}",
                measured=f"{ours.engine_mb:.0f} MB",
                limit=f"<= {other.peak_mb:.0f} MB",
                kept=ours.engine_mb <= other.peak_mb,
            )
    if len(long_enough) > 1:
        sizes_mb = [row.engine_mb or 0.0 for row in long_enough]
        growth = max(sizes_mb) / min(sizes_mb)
        names = ", ".join(row.workload for row in long_enough)
        yield _at_most(f"engine child, largest / smallest of {names}", Spread.of([growth]), FLAT)


def _at_least(name: str, found: Spread, limit: float, *together: Row) -> Bound:
    return Bound(
        name=name,
        measured=found.text(2),
        limit=f">= {limit:g}",
        kept=found.median >= limit,
        detail="" if is_of_one_run(*together) else "not all of one run",
    )


def _at_most(name: str, found: Spread, limit: float) -> Bound:
    return Bound(
        name=name, measured=found.text(2), limit=f"<= {limit:g}", kept=found.median <= limit
    )
