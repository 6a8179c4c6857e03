"""What is acknowledged stays: restarts, kills, full disks, readers from outside."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from tests.contract.makers import ERROR, MANY, PROGRESS, Jobs, result_of, window_at
from voice_transcriber.errors import DiskFull, ShuttingDown
from voice_transcriber.job import JobStatus
from voice_transcriber.store.base import Store
from voice_transcriber.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
WITH_ROOT = os.environ | {"PYTHONPATH": str(ROOT)}

COUNT_AT_EVERY_LINE = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for _ in sys.stdin:
    print(*db.execute("SELECT COUNT(*) FROM jobs").fetchone())
"""


def integrity(path: Path) -> tuple[str, list[object]]:
    with closing(sqlite3.connect(path)) as db:
        (verdict,) = db.execute("PRAGMA integrity_check").fetchone()
        return verdict, db.execute("PRAGMA foreign_key_check").fetchall()


def test_everything_is_there_after_a_restart(
    store: Store, jobs: Jobs, open_store: Callable[[], Store]
) -> None:
    completed = jobs.completed()
    failed = jobs.failed()
    claim = jobs.planned(windows=2)
    store.finish_windows(claim, [result_of(window_at(0), " Kept.")], PROGRESS)
    running = store.get(claim.job_id)
    queued = jobs.queued()
    plan, transcript = store.plan(claim.job_id), store.transcript(completed.id)
    store.close()

    again = open_store()
    assert again.page(limit=9).jobs == [queued, running, failed, completed]
    assert again.plan(claim.job_id) == plan
    assert again.transcript(completed.id) == transcript
    assert again.reclaim(owner="boot-2") == 1


def test_a_closed_store_says_that_it_shuts_down(store: Store, jobs: Jobs) -> None:
    job = jobs.queued()
    store.close()
    store.close()
    with pytest.raises(ShuttingDown):
        jobs.queued()
    with pytest.raises(ShuttingDown):
        store.get(job.id)


def test_no_acknowledged_job_is_lost_by_a_kill(tmp_path: Path) -> None:
    script = Path(__file__).with_name("add_until_killed.py")
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, script, tmp_path], stdout=subprocess.PIPE, text=True, env=WITH_ROOT
        ) as child:
            assert child.stdout is not None
            acknowledged = list(islice(child.stdout, 50))
            child.kill()
            # A last line without its end was cut off before its thread went on.
            acknowledged += [line for line in child.stdout if line.endswith("\n")]

        with closing(SqliteStore(tmp_path / "jobs.sqlite3")) as store:
            for line in acknowledged:
                assert store.get(line.strip()).status is JobStatus.QUEUED
            for job_id in list(store.live_ids()):
                store.cancel(job_id)
                store.delete(job_id)
        assert integrity(tmp_path / "jobs.sqlite3") == ("ok", [])


def test_another_process_reads_while_this_one_writes(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    with closing(SqliteStore(path)) as store:
        jobs = Jobs(store)
        with subprocess.Popen(
            [sys.executable, "-c", COUNT_AT_EVERY_LINE, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        ) as reader:
            assert reader.stdin is not None
            assert reader.stdout is not None
            for _ in range(200):
                jobs.queued()
                reader.stdin.write("\n")
            reader.stdin.close()
            seen = [int(line) for line in reader.stdout]
    assert seen == sorted(seen)
    assert len(seen) == 200
    assert all(count >= number for number, count in enumerate(seen, 1))
    assert integrity(path) == ("ok", [])


def test_a_full_disk_refuses_and_recovers(small_disk: Path) -> None:
    path = small_disk / "jobs.sqlite3"
    with closing(SqliteStore(path)) as store:
        jobs = Jobs(store)
        claim = jobs.planned()
        filler = fill(small_disk)
        with pytest.raises(DiskFull):
            fill_queue(jobs)
        accepted = store.page(limit=MANY).jobs
        revision = store.revision
        with pytest.raises(DiskFull):
            store.fail(claim, ERROR, {"log": "x" * 100_000})
        assert store.get(claim.job_id).status is JobStatus.RUNNING
        assert store.revision == revision

        filler.unlink()
        newest = jobs.queued()
        assert store.page(limit=MANY).jobs == [newest, *accepted]
        store.fail(claim, ERROR, {})
    assert integrity(path) == ("ok", [])


def test_a_full_disk_at_the_start_is_named(small_disk: Path) -> None:
    filler = fill(small_disk)
    with pytest.raises(DiskFull):
        SqliteStore(small_disk / "jobs.sqlite3")
    filler.unlink()
    SqliteStore(small_disk / "jobs.sqlite3").close()


def fill_queue(jobs: Jobs) -> None:
    for _ in range(MANY):
        jobs.queued()


def fill(folder: Path) -> Path:
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            return filler
    raise AssertionError("the disk never was full")
