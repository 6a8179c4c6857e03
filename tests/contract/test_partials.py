"""Uploads that come in pieces: what was appended is there, and becomes a blob without a copy."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from voice_transcriber.blobs.base import PartialStore
from voice_transcriber.blobs.local import LocalBlobs
from voice_transcriber.blobs.partial import LocalPartials
from voice_transcriber.errors import ChecksumMismatch, DiskFull, NotFound

ID = "0123456789abcdef" * 2
OTHER = "f" * 32

Open = Callable[[], PartialStore]


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "blobs")


@pytest.fixture
def open_again(tmp_path: Path, blobs: LocalBlobs) -> Open:
    """The same store as after a restart: what was in memory is not known any more."""
    return lambda: LocalPartials(tmp_path / "blobs", blobs)


@pytest.fixture
def partials(open_again: Open) -> PartialStore:
    return open_again()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def broken(*pieces: bytes) -> Iterator[bytes]:
    yield from pieces
    raise ChecksumMismatch


def test_pieces_become_a_blob(partials: PartialStore, blobs: LocalBlobs) -> None:
    partials.create(ID)
    assert partials.append(ID, offset_bytes=0, pieces=[b"one ", b"two "]) == 8
    assert partials.append(ID, offset_bytes=8, pieces=[b"three"]) == 5
    address = partials.sha256(ID, size_bytes=13)
    assert address == sha256(b"one two three")
    stored = partials.adopt(ID, address)
    assert (stored.sha256, stored.size_bytes) == (address, 13)
    assert blobs.path(address).read_bytes() == b"one two three"


def test_the_hash_is_that_of_the_file_after_a_restart_too(open_again: Open) -> None:
    first = open_again()
    first.create(ID)
    first.append(ID, offset_bytes=0, pieces=[b"before "])
    again = open_again()
    again.append(ID, offset_bytes=7, pieces=[b"after"])
    assert again.sha256(ID, size_bytes=12) == sha256(b"before after")


def test_what_lies_behind_the_offset_is_replaced(partials: PartialStore) -> None:
    """A dead process had written it and not acknowledged it."""
    partials.create(ID)
    partials.append(ID, offset_bytes=0, pieces=[b"kept, lost and longer"])
    partials.append(ID, offset_bytes=4, pieces=[b" again"])
    assert partials.sha256(ID, size_bytes=10) == sha256(b"kept again")


def test_an_error_while_bytes_come_keeps_none_of_them(partials: PartialStore) -> None:
    partials.create(ID)
    partials.append(ID, offset_bytes=0, pieces=[b"kept"])
    with pytest.raises(ChecksumMismatch):
        partials.append(ID, offset_bytes=4, pieces=broken(b"wrong"))
    assert partials.sha256(ID, size_bytes=4) == sha256(b"kept")


def test_a_file_that_lost_bytes_is_not_found(partials: PartialStore, tmp_path: Path) -> None:
    partials.create(ID)
    partials.append(ID, offset_bytes=0, pieces=[b"all of it"])
    (part,) = files(tmp_path)
    os.truncate(part, 3)
    with pytest.raises(NotFound):
        partials.append(ID, offset_bytes=9, pieces=[b"more"])
    with pytest.raises(NotFound):
        partials.sha256(ID, size_bytes=9)


def test_a_second_adoption_is_harmless(partials: PartialStore, blobs: LocalBlobs) -> None:
    partials.create(ID)
    partials.append(ID, offset_bytes=0, pieces=[b"sound"])
    assert partials.adopt(ID, sha256(b"sound")) == partials.adopt(ID, sha256(b"sound"))
    assert list(blobs.all()) == [sha256(b"sound")]


def test_a_second_adoption_flushes_the_name_that_a_dead_process_gave(
    partials: PartialStore, blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    partials.create(ID)
    partials.append(ID, offset_bytes=0, pieces=[b"sound"])
    folder = blobs.path(partials.adopt(ID, sha256(b"sound")).sha256).parent
    flushed: list[Path] = []
    monkeypatch.setattr("voice_transcriber.blobs.local.sync_folder", flushed.append)
    partials.adopt(ID, sha256(b"sound"))
    assert flushed == [folder, folder.parent]


def test_an_adopted_blob_is_young(partials: PartialStore, blobs: LocalBlobs) -> None:
    """A clean-up that does not know it yet must not take it, however long the upload took."""
    partials.create(ID)
    partials.append(ID, offset_bytes=0, pieces=[b"slow"])
    (part,) = files(blobs.path(partials.adopt(ID, sha256(b"slow")).sha256).parents[1])
    assert time.time() - part.stat().st_mtime < 60
    assert blobs.delete_unused(set(), older_than_s=60) == 0


def test_an_equal_blob_is_kept_once(partials: PartialStore, blobs: LocalBlobs) -> None:
    writer = blobs.writer()
    writer.write(b"same")
    address = writer.commit().sha256
    partials.create(ID)
    partials.append(ID, offset_bytes=0, pieces=[b"same"])
    partials.adopt(ID, address)
    assert len(files(blobs.path(address).parents[1])) == 1


def test_what_is_nowhere_cannot_be_adopted(partials: PartialStore) -> None:
    with pytest.raises(NotFound):
        partials.adopt(ID, sha256(b"nothing"))


@pytest.mark.parametrize("upload_id", ["", "..", "../secret", "A" * 32, "0" * 31, "/etc/passwd"])
def test_only_an_id_names_an_upload(partials: PartialStore, tmp_path: Path, upload_id: str) -> None:
    (tmp_path / "secret").write_text("stays")
    for ask in (
        lambda: partials.create(upload_id),
        lambda: partials.append(upload_id, offset_bytes=0, pieces=[b"x"]),
        lambda: partials.adopt(upload_id, sha256(b"x")),
        lambda: partials.delete(upload_id),
    ):
        with pytest.raises(NotFound):
            ask()
    assert [path.name for path in files(tmp_path)] == ["secret"]


def test_a_deleted_upload_is_gone(partials: PartialStore, tmp_path: Path) -> None:
    partials.create(ID)
    partials.delete(ID)
    partials.delete(ID)
    assert files(tmp_path) == []
    with pytest.raises(NotFound):
        partials.append(ID, offset_bytes=0, pieces=[b"x"])


def test_uploads_that_nobody_names_go_when_they_are_old(
    partials: PartialStore, tmp_path: Path
) -> None:
    for upload_id in (ID, OTHER):
        partials.create(upload_id)
    assert partials.delete_unnamed({ID}, older_than_s=60) == 0
    assert partials.delete_unnamed({ID}, older_than_s=0) == 1
    assert [path.name for path in files(tmp_path)] == [ID]


def test_blobs_do_not_see_uploads(partials: PartialStore, blobs: LocalBlobs) -> None:
    partials.create(ID)
    assert list(blobs.all()) == []
    assert blobs.delete_stray_parts(older_than_s=0) == 0
    assert blobs.delete_unused(set(), older_than_s=0) == 0
    assert partials.append(ID, offset_bytes=0, pieces=[b"goes on"]) == 7


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file modes")
def test_files_are_for_their_owner_alone(partials: PartialStore, tmp_path: Path) -> None:
    partials.create(ID)
    (part,) = files(tmp_path)
    assert stat.S_IMODE(part.stat().st_mode) == 0o600
    assert stat.S_IMODE(part.parent.stat().st_mode) == 0o700


def test_a_full_disk_refuses_the_piece_and_keeps_those_before(small_disk: Path) -> None:
    partials = LocalPartials(small_disk, LocalBlobs(small_disk))
    partials.create(ID)
    partials.append(ID, offset_bytes=0, pieces=[b"kept"])
    with pytest.raises(DiskFull):
        partials.append(ID, offset_bytes=4, pieces=[bytes(100_000)] * 20)
    assert partials.sha256(ID, size_bytes=4) == sha256(b"kept")
    assert partials.append(ID, offset_bytes=4, pieces=[b"again"]) == 5
