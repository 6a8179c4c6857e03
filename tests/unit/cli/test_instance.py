"""The server's address in its data folder."""

import json
from pathlib import Path

import pytest

from voice_transcriber.cli.instance import FILE_NAME, announce, base_url, withdraw


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:5001"),
        ("0.0.0.0", "http://127.0.0.1:5001"),
        ("::", "http://[::1]:5001"),
        ("[::1]", "http://[::1]:5001"),
        ("192.0.2.7", "http://192.0.2.7:5001"),
    ],
)
def test_an_announced_server_is_found(tmp_path: Path, host: str, url: str) -> None:
    announce(tmp_path, host=host, port=5001)
    assert base_url(tmp_path) == url


def test_only_host_and_port_are_told(tmp_path: Path) -> None:
    announce(tmp_path, host="127.0.0.1", port=5001)
    assert set(json.loads((tmp_path / FILE_NAME).read_text())) == {"host", "port"}


def test_a_withdrawn_server_is_not_found(tmp_path: Path) -> None:
    announce(tmp_path, host="127.0.0.1", port=5001)
    withdraw(tmp_path)
    withdraw(tmp_path)
    assert base_url(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"host": "a"}', '{"host": "a", "port": "x"}'])
def test_a_damaged_file_tells_of_no_server(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    assert base_url(tmp_path) is None
