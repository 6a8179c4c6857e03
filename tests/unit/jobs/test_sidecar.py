"""The record beside the database follows the store, whatever order its news come in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.contract.makers import Jobs
from voice_transcriber.job import Priority
from voice_transcriber.jobs.sidecar import Sidecars
from voice_transcriber.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "jobs.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def sidecars(tmp_path: Path, store: SqliteStore) -> Sidecars:
    folder = tmp_path / "transcripts"
    folder.mkdir()
    return Sidecars(folder, job_now=store.get)


def test_stale_news_keep_what_the_store_has(store: SqliteStore, sidecars: Sidecars) -> None:
    old = Jobs(store).queued()
    store.set_priority(old.id, Priority.HIGH)
    sidecars.note(old)
    kept = sidecars.kept(old.id)
    assert kept is not None
    assert kept.job is not None
    assert kept.job.priority is Priority.HIGH


def test_news_of_a_deleted_job_bring_back_nothing(store: SqliteStore, sidecars: Sidecars) -> None:
    old = Jobs(store).cancelled()
    store.delete(old.id)
    sidecars.delete(old.id)
    sidecars.note(old)
    assert sidecars.kept(old.id) is None


def test_a_completed_job_has_no_record_of_its_wait(store: SqliteStore, sidecars: Sidecars) -> None:
    jobs = Jobs(store)
    sidecars.note(jobs.queued())
    done = jobs.completed()
    assert sidecars.ids() == (set(), {done.id})
    sidecars.note(done)
    assert sidecars.ids() == (set(), set())


def test_deletions_before_a_day_are_forgotten(sidecars: Sidecars) -> None:
    sidecars.delete("new")
    noted = sidecars.folder / "deleted"
    noted.write_text("2025-01-01 old\n\n2025-01-02 newer\n" + noted.read_text())
    sidecars.forget_deleted(before=date(2025, 1, 2))
    assert sidecars.deleted() == {"newer", "new"}
    assert "old" not in noted.read_text()


def test_a_deletion_of_an_older_version_has_its_time_from_now_on(sidecars: Sidecars) -> None:
    noted = sidecars.folder / "deleted"
    noted.write_text("\none\n\ntwo\n")
    sidecars.forget_deleted(before=date(2025, 1, 1))
    assert sidecars.deleted() == {"one", "two"}
    sidecars.forget_deleted(before=datetime.now(UTC).date() + timedelta(days=1))
    assert sidecars.deleted() == set()


@pytest.mark.parametrize("left", ["2025-01-01 tor", "2025-0", ""])
def test_a_line_that_a_power_cut_tore_spoils_no_other(sidecars: Sidecars, left: str) -> None:
    noted = sidecars.folder / "deleted"
    noted.write_text(f"2025-01-01 whole\n\n{left}")
    sidecars.delete("next")
    assert {"whole", "next"} <= sidecars.deleted()
