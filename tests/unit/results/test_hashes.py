"""Hashes of large files: read once for each state of a file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from voice_transcriber.files import file_sha256
from voice_transcriber.results.hashes import FileHashes
from voice_transcriber.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "jobs.sqlite3")
    yield store
    store.close()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "base.pt"
    path.write_bytes(b"weights")
    return path


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_hash_is_known_after_it_was_computed_once(store: SqliteStore, model: Path) -> None:
    hashes = FileHashes(store)
    assert hashes.known(model) is None
    assert hashes.of(model) == sha256(b"weights")
    assert hashes.known(model) == sha256(b"weights")
    assert FileHashes(store).known(model) == sha256(b"weights")


def test_a_file_that_was_replaced_is_not_known(store: SqliteStore, model: Path) -> None:
    """Not even one of the same size and time of change."""
    hashes = FileHashes(store)
    hashes.of(model)
    state = model.stat()
    other = model.with_name("other.pt")
    other.write_bytes(b"WEIGHTS")
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    other.replace(model)
    assert hashes.known(model) is None
    assert hashes.of(model) == sha256(b"WEIGHTS")


def test_a_missing_file_is_not_known(store: SqliteStore, model: Path) -> None:
    hashes = FileHashes(store)
    hashes.of(model)
    model.unlink()
    assert hashes.known(model) is None


def test_reading_can_be_ended(store: SqliteStore, model: Path) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FileHashes(store).of(model, check=stop)
    assert FileHashes(store).known(model) is None


def test_a_part_of_a_file(model: Path) -> None:
    assert file_sha256(model, start=2, end=5) == sha256(b"igh")
    assert file_sha256(model, start=2) == sha256(b"ights")
