"""The data folder is for its owner alone, whatever it was before."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from voice_transcriber.data_folder import DataFolder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")


def modes(folder: DataFolder) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.root.rglob("*")}


def test_a_folder_that_was_open_to_others_is_closed_and_said_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    (folder.root / "jobs.db").touch(mode=0o644)
    (folder.logs / "engine.log").touch(mode=0o664)
    folder.root.chmod(0o755)
    folder.blobs.chmod(0o777)
    with caplog.at_level(logging.WARNING):
        folder.take_over()
    assert {mode & 0o077 for mode in modes(folder).values()} == {0}
    assert folder.root.stat().st_mode & 0o777 == 0o700
    for name in ("data", "blobs", "jobs.db", "engine.log"):
        assert name in caplog.text


def test_a_private_folder_is_left_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    folder.take_over()
    assert caplog.text == ""


def test_what_dead_children_left_goes(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    (folder.child_temp / "cache").mkdir()
    (folder.child_temp / "cache" / "file").touch()
    folder.take_over()
    assert list(folder.child_temp.iterdir()) == []
