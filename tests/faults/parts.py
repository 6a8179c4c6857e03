"""The long form: its parts, how large each is, and what each must show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults import (
    api_fuzz,
    clocks,
    crashes,
    crowds,
    damage,
    disk,
    full_disks,
    hostile_media,
    kills,
    memory_limits,
    named_kills,
    parser_fuzz,
    power_cuts,
    slow_clients,
    stops,
    upgrade_kills,
)
from tests.faults.figures import spread
from tests.faults.kills import KillPlan
from tests.faults.resumed_uploads import resumed_upload
from tests.faults.sounds import clips, everyday, real_recordings, undisturbed

Figures = dict[str, Any]

SEED = 20261121
KILLS_PER_POINT = 20
READY_S = 5.0
RESUMED_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A promise, and what was measured against it."""

    promise: str
    found: Callable[[Figures], float | int | str]
    kept: Callable[[Figures], bool]


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is run in one go, and kept when it is done."""

    name: str
    title: str
    run: Callable[[Path], Figures]
    bounds: Sequence[Bound]
    why_not: Callable[[], str | None] = lambda: None  # why this machine cannot run it


NOTHING_BROKEN = Bound(
    promise="0 violations of the invariants",
    found=lambda figures: len(figures["violations"]),
    kept=lambda figures: not figures["violations"],
)


def at_most(promise: str, name: str, limit: float) -> Bound:
    """The largest of a spread."""
    return Bound(
        promise=promise,
        found=lambda figures: figures[name].get("max", "none measured"),
        kept=lambda figures: figures[name].get("max", limit + 1) <= limit,
    )


def none(promise: str, name: str) -> Bound:
    """A list that must be empty."""
    return Bound(
        promise=promise,
        found=lambda figures: len(figures[name]),
        kept=lambda figures: not figures[name],
    )


def is_(promise: str, name: str, value: object) -> Bound:
    return Bound(
        promise=promise,
        found=lambda figures: str(figures[name]),
        kept=lambda figures: bool(figures[name] == value),
    )


READY = at_most(f"ready within {READY_S:.0f} s (the longest, s)", "ready_s", READY_S)
RESUMED = at_most(f"jobs go on within {RESUMED_S:.0f} s more (s)", "resumed_s", RESUMED_S)


def _random_kills(number: int) -> Callable[[Path], Figures]:
    def run(folder: Path) -> Figures:
        recordings = everyday(folder / "sounds")
        texts = undisturbed(folder / "true", recordings)
        plan = KillPlan(kills=50, in_flight=20, life_s=8.0, seed=SEED + number)
        return kills.run(folder / "run", plan, recordings, texts)

    return run


def _real_kills(folder: Path) -> Figures:
    real = {"ENGINE": "openai-whisper", "AUDIO_OPTIMIZATION": "true"}
    recordings = real_recordings()
    texts = undisturbed(folder / "true", recordings, **real)
    plan = KillPlan(kills=20, in_flight=4, life_s=8.0, seed=SEED)
    return kills.run(folder / "run", plan, recordings, texts, **real)


def _named(point: str) -> Callable[[Path], Figures]:
    def run(folder: Path) -> Figures:
        recordings = clips(folder / "sounds", 3 * KILLS_PER_POINT + 10)
        texts = undisturbed(folder / "true", recordings)
        return named_kills.run(
            folder / "run",
            point,
            kills=KILLS_PER_POINT,
            recordings=recordings,
            texts=texts,
            seed=SEED,
        )

    return run


def _upgrade(point: str) -> Callable[[Path], Figures]:
    def run(folder: Path) -> Figures:
        recordings = everyday(folder / "sounds")
        texts = undisturbed(folder / "true", recordings)
        return upgrade_kills.run(
            folder / "run",
            point,
            kills=KILLS_PER_POINT,
            recordings=recordings,
            texts=texts,
            seed=SEED,
        )

    return run


def _with_texts(run: Callable[..., Figures], **values: Any) -> Callable[[Path], Figures]:
    """On the everyday recordings."""

    def bound(folder: Path) -> Figures:
        recordings = everyday(folder / "sounds")
        texts = undisturbed(folder / "true", recordings)
        return run(folder / "run", recordings=recordings, texts=texts, **values)

    return bound


def _queue(folder: Path) -> Figures:
    recordings = clips(folder / "sounds", 20, seconds=1.0)
    texts = undisturbed(folder / "true", recordings)
    return crowds.queue(folder / "run", cap=crowds.QUEUE_CAP, recordings=recordings, texts=texts)


def _api(folder: Path) -> Figures:
    return api_fuzz.run(
        folder / "run", examples=10_000, recordings=clips(folder / "sounds", 3), seed=SEED
    )


def _clocks(folder: Path) -> Figures:
    faketime = clocks.library()
    assert faketime is not None
    return _with_texts(clocks.run, jumps_s=clocks.JUMPS_S, faketime=faketime)(folder)


def _media(folder: Path) -> Figures:
    folder.mkdir(parents=True, exist_ok=True)
    return hostile_media.run(folder)


def _upload(folder: Path) -> Figures:
    found = resumed_upload(folder, size_bytes=500_000_000, disconnects=100)
    return {
        "size_mb": round(found.size_bytes / 1e6),
        "disconnects": found.disconnects,
        "restarts": found.restarts,
        "seconds": round(found.seconds, 1),
        "sent_mb": round(found.sent_bytes / 1e6),
        "disk_factor": round(found.disk_factor, 3),
        "memory_growth_mb": round(found.memory_growth_bytes / 1e6, 1),
        "equal_sha256": found.is_equal,
        "violations": [] if len(found.jobs) == 1 else [f"{len(found.jobs)} jobs were made of it"],
    }


def _slow(folder: Path) -> Figures:
    folder.mkdir(parents=True, exist_ok=True)
    found = slow_clients.slow_clients(folder, seconds=90.0)
    return {**found, "violations": list(slow_clients.violations(found))}


def _damage(_folder: Path) -> Figures:
    rows = damage.run(110)
    return {
        "rounds": len(rows),
        "detected": sum(row.detected for row in rows),
        "ready_s": spread([row.ready_s for row in rows]),
        "violations": [str(row) for row in rows if _has_lost(row)],
    }


def _has_lost(row: damage.Row) -> bool:
    return bool(row.lost or row.waiting_lost or row.recordings_lost or row.error)


def value_at_most(promise: str, name: str, limit: float) -> Bound:
    return Bound(
        promise=promise,
        found=lambda figures: figures[name],
        kept=lambda figures: bool(figures[name] <= limit),
    )


def p99_at_most(limit_s: float) -> Bound:
    return Bound(
        promise=f"99 of 100 requests within {limit_s:.0f} s",
        found=lambda figures: figures["request_s"].get("p99", "none measured"),
        kept=lambda figures: figures["request_s"].get("p99", limit_s + 1) <= limit_s,
    )


def _no_faketime() -> str | None:
    return None if clocks.library() else "libfaketime is not installed"


ALL_MISSED = is_("every kill came at its point (missed)", "missed", 0)

PARTS: Sequence[Part] = (
    *(
        Part(
            name=f"kills-{number}",
            title=f"50 kills at random times, 20 jobs in flight ({number} of 4)",
            run=_random_kills(number),
            bounds=(NOTHING_BROKEN, READY, RESUMED),
        )
        for number in range(1, 5)
    ),
    Part(
        name="kills-real-engine",
        title="20 kills at random times with a real engine (demo model)",
        run=_real_kills,
        bounds=(NOTHING_BROKEN, READY),
    ),
    *(
        Part(
            name=f"kill-{point}",
            title=f"{KILLS_PER_POINT} kills at {point}",
            run=_named(point),
            bounds=(NOTHING_BROKEN, ALL_MISSED),
        )
        for point in named_kills.MOST_PASSES
    ),
    *(
        Part(
            name=f"kill-{point}",
            title=f"{KILLS_PER_POINT} kills at {point}, upgrading an old database",
            run=_upgrade(point),
            bounds=(NOTHING_BROKEN, ALL_MISSED),
        )
        for point in upgrade_kills.POINTS
    ),
    Part(
        name="crashes",
        title="100 crashes of the engine while people use the server",
        run=_with_texts(crashes.run, crashes=100, in_flight=10, life_s=2.0, seed=SEED),
        bounds=(
            NOTHING_BROKEN,
            none("0 failed HTTP requests", "failed_requests"),
            at_most("retried within 5 s (the longest, s)", "retried_s", RESUMED_S),
        ),
    ),
    Part(
        name="stops",
        title="50 SIGTERM at random times",
        run=_with_texts(stops.run, stops=50, in_flight=8, life_s=4.0, seed=SEED),
        bounds=(
            NOTHING_BROKEN,
            none("each ends with status 0", "wrong_statuses"),
            at_most("within 35 s (the longest, s)", "stop_s", 35.0),
        ),
    ),
    Part(
        name="power-cuts",
        title="50 power cuts",
        run=_with_texts(power_cuts.run, cuts=50, in_flight=8, life_s=4.0, seed=SEED),
        bounds=(NOTHING_BROKEN, none("no file of 0 bytes", "empty_files"), READY),
        why_not=disk.why_not,
    ),
    Part(
        name="full-disk",
        title="10 times a disk without room",
        run=_with_texts(full_disks.run, rounds=10, seed=SEED),
        bounds=(
            NOTHING_BROKEN,
            none("no half-written upload is left", "leftovers"),
            at_most("accepts again within 10 s (the longest, s)", "recovered_s", 10.0),
            is_("the program lives", "alive", True),
        ),
        why_not=disk.why_not,
    ),
    Part(
        name="memory",
        title="5 times the kernel ends the engine for want of memory",
        run=_with_texts(memory_limits.run, rounds=5),
        bounds=(
            NOTHING_BROKEN,
            is_("the web process lives", "web_alive", True),
            none("0 failed HTTP requests", "failed_requests"),
        ),
        why_not=memory_limits.why_not,
    ),
    Part(
        name="clocks",
        title="The clock jumps an hour and a day, forth and back",
        run=_clocks,
        bounds=(NOTHING_BROKEN,),
        why_not=_no_faketime,
    ),
    Part(
        name="queue",
        title="1000 jobs wait, one more comes",
        run=_queue,
        bounds=(
            NOTHING_BROKEN,
            Bound(
                promise="the job too many is told why",
                found=lambda figures: str(figures["refused"].get("code")),
                kept=lambda figures: (
                    figures["refused"].get("code") == "queue_full"
                    and bool(figures["refused"].get("retry_after"))
                ),
            ),
        ),
    ),
    Part(
        name="pollers",
        title="5000 clients that poll for 10 minutes while jobs run",
        run=_with_texts(crowds.pollers, clients=5000, seconds=600.0, every_s=5.0),
        bounds=(
            NOTHING_BROKEN,
            Bound(
                promise="0 errors",
                found=lambda figures: str(figures["errors"]),
                kept=lambda figures: not figures["errors"],
            ),
            p99_at_most(1.0),
        ),
    ),
    Part(
        name="slow-clients",
        title="12 players that stand still, 20 stalled readers, 90 slow senders",
        run=_slow,
        bounds=(NOTHING_BROKEN, p99_at_most(1.0)),
    ),
    Part(
        name="upload",
        title="500 MB in pieces over 100 torn connections and kills",
        run=_upload,
        bounds=(
            NOTHING_BROKEN,
            is_("the server has the same SHA-256", "equal_sha256", True),
            value_at_most("at most 1.1 times the file on the disk", "disk_factor", 1.1),
            value_at_most("memory grows by at most 64 MB", "memory_growth_mb", 64.0),
        ),
    ),
    Part(
        name="hostile-media",
        title="200 hostile recordings",
        run=_media,
        bounds=(NOTHING_BROKEN, at_most("each ends within 60 s (the longest, s)", "took_s", 60.0)),
    ),
    Part(
        name="damage",
        title="110 damaged databases",
        run=_damage,
        bounds=(NOTHING_BROKEN,),
    ),
    Part(
        name="api-fuzz",
        title="10,000 requests made from the API's own document",
        run=_api,
        bounds=(NOTHING_BROKEN, is_("the program lives", "alive", True)),
    ),
    Part(
        name="parser-fuzz",
        title="Our own parsers under atheris",
        run=lambda folder: parser_fuzz.run(folder, runs=200_000, seed=SEED),
        bounds=(NOTHING_BROKEN,),
    ),
)
BY_NAME: Mapping[str, Part] = {part.name: part for part in PARTS}
