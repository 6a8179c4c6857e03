"""What memory is left: of the machine, or of the container."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from voice_transcriber.processes.memory import available_bytes

GB = 10**9


def container(folder: Path, *, limit: str, used: int, cached: int) -> Path:
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cached}\n")
    return folder


@pytest.mark.parametrize(("used", "cached", "left"), [(300, 0, 700), (900, 500, 600), (1100, 0, 0)])
def test_a_containers_limit_counts(tmp_path: Path, used: int, cached: int, left: int) -> None:
    assert available_bytes(container(tmp_path, limit="1000", used=used, cached=cached)) == left


def test_without_a_limit_the_machine_counts(tmp_path: Path) -> None:
    machine = psutil.virtual_memory().available
    unlimited = container(tmp_path, limit="max", used=5, cached=0)
    for folder in (unlimited, tmp_path / "none"):
        assert available_bytes(folder) == pytest.approx(machine, abs=2 * GB)


def test_a_limit_beyond_the_machine_says_nothing(tmp_path: Path) -> None:
    folder = container(tmp_path, limit=str(10**18), used=0, cached=0)
    assert available_bytes(folder) <= psutil.virtual_memory().total


KEPT_AFTER = """
import psutil
from voice_transcriber.processes.memory import return_large_blocks
return_large_blocks(16 * 2**20)
def resident():
    return psutil.Process().memory_info().rss
def large():
    return bytearray(b"1") * (20 * 2**20)
del (first := [large()])[0]  # glibc takes the next ones of this size from its heap
before = resident()
blocks = [(large(), bytearray(100_000)) for _ in range(10)]
small = [one for _, one in blocks]
del blocks
print((resident() - before) // 2**20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators have other ways")
def test_freed_large_blocks_go_back_to_the_system() -> None:
    """Though smaller ones between them stay; without the call they keep 200 MB."""
    found = subprocess.run(
        [sys.executable, "-c", KEPT_AFTER], capture_output=True, text=True, check=True
    )
    assert int(found.stdout) < 20
