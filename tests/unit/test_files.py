"""Files are replaced as a whole, however many write them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from voice_transcriber.files import write_durably

CONTENTS = [bytes([letter]) * (letter * 1000) for letter in b"abcdefgh"]


def test_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with ThreadPoolExecutor(len(CONTENTS)) as pool:
        list(pool.map(lambda content: write_durably(path, content), CONTENTS * 5))
    assert path.read_bytes() in CONTENTS
    assert list(tmp_path.iterdir()) == [path]
