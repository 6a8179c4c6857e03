"""Kills while the program brings the database of an older version up to date, and backs it up."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.faults.checker import verdict
from tests.faults.server import Server
from tests.faults.sounds import Texts
from tests.running import until
from voice_transcriber.store.library import Database
from voice_transcriber.store.migrations import MIGRATIONS

POINTS = ("migration-step", "backup")
DATABASE = "jobs.db"
FOLDERS = ("blobs", "transcripts")  # of what the first version kept
TABLES = ("jobs", "chunks", "windows", "transcripts", "tombstones")


def run(
    folder: Path, point: str, *, kills: int, recordings: Sequence[Path], texts: Texts, seed: int
) -> dict[str, Any]:
    """Kills come in pairs: the second meets the same old folder as the first one left it.

    The old database has finished, running and waiting jobs. After each pair the program starts, and
    must still know them all.
    """
    chance = random.Random(f"{seed} {point}")
    server = Server(folder)
    missed = 0
    try:
        _some_work(server, recordings)
        old = _as_first_version(server.data, folder / "old")
        statements = _statements(old / DATABASE) if point == "migration-step" else 1
        for _ in range(kills // 2):
            shutil.rmtree(server.data)
            shutil.copytree(old, server.data)
            server.log.sightings.clear()  # the jobs are as they were
            first = chance.randint(1, statements)
            missed += not _dies(server, f"{point}:{first}")
            left = _statements(server.data / DATABASE) if point == "migration-step" else 1
            missed += not _dies(server, f"{point}:{chance.randint(1, left)}")
            server.start()
            assert {job["id"] for job in server.jobs()} >= server.accepted.keys()
            if server.live():
                server.kill()
        if not server.is_alive:
            server.start()
        found = verdict(server, texts)
    finally:
        server.close()
    return {
        "kills": kills - missed,
        "missed": missed,
        "statements": statements,
        "acknowledged": len(server.accepted),
        "violations": [str(one) for one in found],
    }


def _dies(server: Server, kill_at: str) -> bool:
    """Whether the program died where it should; what it left is a sound database."""
    server.launch(kill_at=kill_at)
    reached = not server.wait_ready()
    server.kill()
    with closing(sqlite3.connect(server.data / DATABASE)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    return reached


def _some_work(server: Server, recordings: Sequence[Path]) -> None:
    server.start()
    for recording in recordings:
        server.submit(recording)
    until(lambda: any(job["status"] == "completed" for job in server.jobs()))
    server.kill()


def _as_first_version(data: Path, old: Path) -> Path:
    """The same jobs in a folder of the first version: what came later is left out."""
    old.mkdir()
    for name in FOLDERS:
        shutil.copytree(data / name, old / name)
    second = MIGRATIONS.pending(Database(memory=True))[1].name
    with closing(Database(old / DATABASE)) as db:
        MIGRATIONS.apply(db, stop_before=second)
        db.execute("ATTACH DATABASE ? AS newer", [str(data / DATABASE)])
        with db.atomic():
            for table in TABLES:
                names = ", ".join(f'"{column.name}"' for column in db.table(table).columns)
                db.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM newer.{table}")
    return old


def _statements(old: Path) -> int:
    """How many statements the steps to the newest version take."""
    seen: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(old, folder))
        with closing(Database(copy)) as db, db.tracer(lambda sql, _values: seen.append(sql)):
            MIGRATIONS.apply(db)
    return len(seen)
