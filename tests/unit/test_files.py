"""Files are replaced as a whole, however many write them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from voice_transcriber.files import keep_end, write_durably

CONTENTS = [bytes([letter]) * (letter * 1000) for letter in b"abcdefgh"]


def test_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with ThreadPoolExecutor(len(CONTENTS)) as pool:
        list(pool.map(lambda content: write_durably(path, content), CONTENTS * 5))
    assert path.read_bytes() in CONTENTS
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_goes_on_behind_the_end_that_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"old " * 100 + b"new")
        keep_end(path, above_bytes=100, kept_bytes=3)
        writer.write(b"est")
    assert path.read_bytes() == b"newest"


def test_a_file_within_its_bound_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"whole")
    keep_end(path, above_bytes=5, kept_bytes=1)
    keep_end(tmp_path / "missing", above_bytes=5, kept_bytes=1)
    assert path.read_bytes() == b"whole"
