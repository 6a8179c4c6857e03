"""Uploads: whole and durable at their address, or gone."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from voice_transcriber.blobs.base import BlobStore, StoredBlob
from voice_transcriber.blobs.local import LocalBlobs
from voice_transcriber.errors import DiskFull, NotFound

HOUR_S = 3600.0


def put(blobs: BlobStore, data: bytes) -> str:
    writer = blobs.writer()
    writer.write(data)
    return writer.commit().sha256


def make_older(path: Path, by_s: float) -> None:
    then = path.stat().st_mtime - by_s
    os.utime(path, (then, then))


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_a_blob_is_stored_under_the_hash_of_its_bytes(blobs: BlobStore) -> None:
    writer = blobs.writer()
    assert writer.write(b"one ") == 4
    assert writer.write(b"two") == 3
    assert writer.size_bytes == 7
    sha256 = hashlib.sha256(b"one two").hexdigest()
    assert writer.commit() == StoredBlob(sha256=sha256, size_bytes=7)
    assert blobs.path(sha256).read_bytes() == b"one two"
    assert list(blobs.all()) == [sha256]


def test_an_unfinished_upload_has_no_address(blobs: BlobStore) -> None:
    writer = blobs.writer()
    writer.write(b"half")
    assert list(blobs.all()) == []
    with pytest.raises(NotFound):
        blobs.path(hashlib.sha256(b"half").hexdigest())
    writer.discard()


def test_a_discarded_upload_leaves_nothing(blobs: BlobStore, tmp_path: Path) -> None:
    writer = blobs.writer()
    writer.write(b"unwanted")
    writer.discard()
    writer.discard()
    assert list(files(tmp_path)) == []


def test_a_discard_after_the_commit_is_harmless(blobs: BlobStore) -> None:
    writer = blobs.writer()
    writer.write(b"wanted")
    blob = writer.commit()
    writer.discard()
    assert blobs.path(blob.sha256).read_bytes() == b"wanted"


def test_equal_uploads_are_one_file(blobs: BlobStore, tmp_path: Path) -> None:
    assert put(blobs, b"same") == put(blobs, b"same")
    assert len(list(files(tmp_path))) == 1


def test_equal_uploads_may_come_at_once(blobs: BlobStore, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        addresses = set(threads.map(lambda _: put(blobs, b"same"), range(40)))
    assert len(addresses) == 1
    assert [path.read_bytes() for path in files(tmp_path)] == [b"same"]


def test_blobs_survive_a_restart(tmp_path: Path) -> None:
    sha256 = put(LocalBlobs(tmp_path), b"kept")
    assert LocalBlobs(tmp_path).path(sha256).read_bytes() == b"kept"


def test_a_deleted_blob_is_gone(blobs: BlobStore) -> None:
    sha256 = put(blobs, b"old")
    blobs.delete(sha256)
    blobs.delete(sha256)
    assert list(blobs.all()) == []
    with pytest.raises(NotFound):
        blobs.path(sha256)


@pytest.mark.parametrize("address", ["", "..", "../../secret", "ab" * 31, "AB" * 32, "/etc/passwd"])
def test_only_an_address_names_a_blob(blobs: BlobStore, tmp_path: Path, address: str) -> None:
    (tmp_path / "secret").write_text("stays")
    with pytest.raises(NotFound):
        blobs.path(address)
    blobs.delete(address)
    assert (tmp_path / "secret").exists()


def test_stray_parts_are_removed_when_nobody_writes_to_them(
    blobs: BlobStore, tmp_path: Path
) -> None:
    stray, fresh = blobs.writer(), blobs.writer()
    stray.write(b"left behind")
    (part,) = (path for path in files(tmp_path) if path.stat().st_size)
    make_older(part, HOUR_S)
    assert blobs.delete_stray_parts(older_than_s=HOUR_S) == 1
    fresh.write(b"goes on")
    assert blobs.path(fresh.commit().sha256).exists()
    stray.discard()


def test_unused_blobs_are_removed_when_they_are_old(blobs: BlobStore) -> None:
    used, unused, young = (put(blobs, data) for data in (b"used", b"unused", b"young"))
    make_older(blobs.path(used), HOUR_S)
    make_older(blobs.path(unused), HOUR_S)
    assert blobs.delete_unused({used}, older_than_s=HOUR_S) == 1
    assert set(blobs.all()) == {used, young}


def test_an_upload_makes_an_equal_old_blob_young_again(blobs: BlobStore) -> None:
    sha256 = put(blobs, b"again")
    make_older(blobs.path(sha256), HOUR_S)
    put(blobs, b"again")
    assert blobs.delete_unused(set(), older_than_s=HOUR_S) == 0
    assert blobs.path(sha256).exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file modes")
def test_files_are_for_their_owner_alone(blobs: BlobStore, tmp_path: Path) -> None:
    put(blobs, b"private")
    part = blobs.writer()
    for path in (tmp_path / "blobs").rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted
    part.discard()


def test_a_full_disk_refuses_and_leaves_no_part(small_disk: Path) -> None:
    blobs = LocalBlobs(small_disk)
    kept = put(blobs, b"before")
    writer = blobs.writer()
    with pytest.raises(DiskFull):
        writer.write(b"x" * 2_000_000)
    assert [path.name for path in files(small_disk)] == [kept]
    writer.discard()
    assert blobs.path(put(blobs, b"after")).read_bytes() == b"after"
