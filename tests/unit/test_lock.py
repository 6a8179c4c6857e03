"""requirements.lock holds the tested versions of all that is installed, each with its hashes."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[2]
INSTALLS_THE_LOCK = "pip"


def entries(name: str) -> Mapping[str, tuple[str, int]]:
    """Version and number of hashes of each package."""
    text = (PROJECT / name).read_text(encoding="utf-8")
    found = {}
    for entry in re.split(r"\n(?=[a-z])", text):
        if match := re.match(r"([a-z0-9-]+)==(\S+)", entry):
            found[match[1]] = (match[2], entry.count("--hash=sha256:"))
    return found


LOCK, CUDA = entries("requirements.lock"), entries("requirements-cuda.lock")


def pins(name: str) -> Iterator[tuple[str, str]]:
    for line in (PROJECT / name).read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([A-Za-z0-9_.-]+)(?:\[\w+\])?==(\S+)", line):
            yield canonicalize_name(match[1]), match[2]


def needed() -> set[str]:
    """All that requirements.txt leads to, on this machine."""
    found: set[str] = set()
    waiting = [name for name, _ in pins("requirements.txt")]
    extras = {"httpx": {"http2"}}
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for text in requires(name) or ():
            one = Requirement(text)
            given = ["", *extras.get(name, ())]
            if not one.marker or any(one.marker.evaluate({"extra": extra}) for extra in given):
                waiting.append(canonicalize_name(one.name))
    return found - {INSTALLS_THE_LOCK}


def test_the_lock_has_the_versions_that_are_pinned() -> None:
    pinned = dict(pins("requirements.txt"))
    assert {name: LOCK[name][0] for name in pinned} == pinned
    others = {name: text for name, text in pins("constraints.txt") if name in LOCK}
    assert len(others) > 40
    assert {name: LOCK[name][0] for name in others} == others


def test_nothing_that_is_needed_is_missing() -> None:
    assert needed() - set(LOCK) - set(CUDA) == set()
    installed = {name: version(name).split("+")[0] for name in needed() & set(LOCK)}
    assert installed == {name: LOCK[name][0] for name in installed}


def test_every_package_has_its_hashes() -> None:
    assert [name for name, (_, hashes) in {**LOCK, **CUDA}.items() if not hashes] == []


def test_what_only_a_gpu_needs_is_apart() -> None:
    assert set(LOCK) & set(CUDA) == set()
    assert {name.split("-")[0] for name in CUDA} == {"cuda", "nvidia", "triton"}


def options() -> list[str]:
    """Those with which `make locked` calls pip."""
    (line,) = re.findall(
        r"^LOCKED := \$\(PIP\) (.*)$", (PROJECT / "Makefile").read_text(), re.MULTILINE
    )
    return line.split()


def wheel(folder: Path, text: str) -> Path:
    """A package of one module."""
    path = folder / "harmless-1.0-py3-none-any.whl"
    info = "harmless-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("harmless.py", text)
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: harmless\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.mark.parametrize("is_tampered", [False, True])
def test_a_file_that_is_not_the_one_that_was_tested_is_refused(
    tmp_path: Path, is_tampered: bool
) -> None:
    digest = hashlib.sha256(wheel(tmp_path, "x = 1\n").read_bytes()).hexdigest()
    lock = tmp_path / "some.lock"
    lock.write_text(f"harmless==1.0 --hash=sha256:{digest}\n")
    if is_tampered:
        wheel(tmp_path, "x = 2\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            *options(),
            "--isolated",
            "--no-index",
            "--find-links",
            str(tmp_path),
            "--target",
            str(tmp_path / "to"),
            "-r",
            str(lock),
        ],
        capture_output=True,
        text=True,
    )
    assert (done.returncode != 0) == is_tampered, done.stderr
    assert (tmp_path / "to" / "harmless.py").exists() != is_tampered
    assert ("HASHES" in done.stderr) == is_tampered
