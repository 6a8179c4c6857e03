"""What keeps the server from its work is told, and one fault hides no other."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.unit.jobs.scripted_engine import ScriptedEngine
from voice_transcriber.jobs.supervisor import LATE_S, Supervisor
from voice_transcriber.store.sqlite import SqliteStore


class Parts:
    """A supervisor, a real store, and workers and a prober that only count."""

    def __init__(self, folder: Path) -> None:
        self.now_s = 1000.0
        self.dead = 0
        self.looks: list[str] = []
        self.engine = ScriptedEngine()
        self.store = SqliteStore(folder / "jobs.db")
        self.supervisor = Supervisor(
            engine=self.engine,
            workers=self,  # type: ignore[arg-type]
            prober=self,  # type: ignore[arg-type]
            store=self.store,
            then=lambda: self.looks.append("then"),
            clock=lambda: self.now_s,
        )

    def supervise(self) -> None:
        self.looks.append("part")
        if self.dead:
            raise RuntimeError("it cannot be looked at")


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    parts = Parts(tmp_path)
    yield parts
    parts.engine.stop()
    parts.store.close()


def test_nothing_is_expected_before_the_start(parts: Parts) -> None:
    parts.now_s += 10 * LATE_S
    assert parts.supervisor.problems == ()


def test_parts_that_live_are_no_problem(parts: Parts) -> None:
    parts.supervisor.start()
    parts.now_s += 10 * LATE_S
    parts.supervisor.look()
    assert parts.supervisor.problems == []


def test_rounds_that_do_not_come_are_a_problem(parts: Parts) -> None:
    parts.supervisor.start()
    parts.now_s += LATE_S + 1
    looks, writes = parts.supervisor.problems
    assert "Nobody has looked after the server's parts for 21 seconds" in looks
    assert "database" in writes


def test_a_store_whose_writer_is_stuck_is_a_problem(parts: Parts) -> None:
    parts.supervisor.start()
    go_on = Event()
    stuck = Thread(target=lambda: parts.store._writer.run(lambda _: go_on.wait()))
    stuck.start()
    parts.now_s += LATE_S + 1
    parts.supervisor.look()
    assert parts.supervisor.problems == ["The database has taken up nothing for 21 seconds."]
    go_on.set()
    stuck.join()
    parts.supervisor.look()
    assert parts.supervisor.problems == []


def test_one_fault_does_not_keep_the_rest_from_being_looked_at(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, logger="voice_transcriber")
    parts.supervisor.start()
    parts.dead = 2
    parts.supervisor.look()
    assert parts.looks == ["part", "part", "then"]
    assert parts.supervisor.problems == ["2 worker threads have died and could not be replaced."]
