"""How far back the SQLite store can tell deletions."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tests.contract.makers import Jobs
from voice_transcriber.store.sqlite import SqliteStore


def test_a_revision_older_than_the_kept_deletions_asks_for_a_new_start(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "jobs.sqlite3", tombstones_kept=3)) as store:
        jobs = Jobs(store)
        deleted, revisions = [], []
        for _ in range(5):
            deleted.append(store.delete(jobs.cancelled().id).id)
            revisions.append(store.revision)
        assert store.changes(since=0, limit=9).reset
        assert store.changes(since=revisions[1], limit=9).reset
        news = store.changes(since=revisions[2], limit=9)
        assert (news.reset, list(news.deleted)) == (False, deleted[3:])


def test_all_deletions_are_told_while_there_are_few(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "jobs.sqlite3", tombstones_kept=3)) as store:
        jobs = Jobs(store)
        deleted = [store.delete(jobs.cancelled().id).id for _ in range(3)]
        news = store.changes(since=0, limit=9)
        assert (news.reset, list(news.deleted)) == (False, deleted)
