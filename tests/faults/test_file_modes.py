"""Nobody but the server's own user reads what it keeps, however permissive the machine is."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.server import Server
from tests.recordings import tone, write_wav

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


@pytest.fixture
def permissive() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """Of the folder and all below it."""
    return [
        f"{stat.filemode(path.lstat().st_mode)} {path}"
        for path in [folder, *folder.rglob("*")]
        if path.lstat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and not path.is_symlink()
    ]


@pytest.mark.usefixtures("permissive")
def test_the_data_folder_is_private_while_and_after_it_is_used(tmp_path: Path) -> None:
    write_wav(tmp_path / "talk.wav", tone(40, pitch_hz=440))
    server = Server(tmp_path, TRANSCRIPTIONS_DIR=str(tmp_path / "data" / "texts"))
    server.start()
    job_id = server.submit(tmp_path / "talk.wav")
    assert job_id is not None
    during = open_to_others(server.data)
    assert server.text(job_id)
    after = open_to_others(server.data)
    assert server.stop() == 0
    server.close()
    assert len(list(server.data.rglob("*"))) > 10
    assert during + after + open_to_others(server.data) == []


@pytest.mark.usefixtures("permissive")
def test_a_folder_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    server = Server(tmp_path)
    server.start()
    assert server.stop() == 0
    server.close()
    assert open_to_others(server.data) == []
