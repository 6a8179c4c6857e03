"""What stops the start says so in a sentence, with the remedy, and an exit status."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from tests.faults.server import Server, environment, program

BUSY, WRONG = 1, 2


def refusal(environ: dict[str, str]) -> tuple[int, str]:
    """The exit status of a start that fails, and what it says."""
    with program(environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, said


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "http"),
        ("MAX_FILE_SIZE", "big"),
        ("HOST", "0.0.0.0"),
        ("API_KEY", "short"),
        ("DEFAULT_MODEL", "enormous"),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(tmp_path: Path, name: str, text: str) -> None:
    status, said = refusal(environment(tmp_path, **{name: text}))
    what, remedy = said.splitlines()
    assert status == WRONG
    assert name in what
    assert name in remedy
    assert not (tmp_path / "data" / "jobs.db").exists()


def test_a_second_instance_on_the_same_folder_is_refused_and_the_first_goes_on(
    tmp_path: Path,
) -> None:
    first = Server(tmp_path)
    first.start()
    status, said = refusal(environment(tmp_path))
    assert status == BUSY
    assert "Another instance of this program uses the data folder" in said
    assert "DATA_DIR" in said
    assert first.stop() == 0
    first.close()


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, said = refusal(environment(tmp_path, PORT=port))
    assert status == WRONG
    assert f"127.0.0.1:{port}" in said
    assert "PORT" in said
