"""Where a test lets the process die: only there, and only when it was asked to."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from config import kill_at
from voice_transcriber import kill_points
from voice_transcriber.errors import ConfigurationError

PACKAGE = Path(kill_points.__file__).parent
PROGRAM = """
import sys
from voice_transcriber import kill_points
kill_points.arm(sys.argv[1])
for passed in range(3):
    print(passed, flush=True)
    kill_points.reached("claimed")
"""


def passes(at: str) -> tuple[int, int]:
    """How often a program in a process of its own came by, and how it ended."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, at],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return len(ended.stdout.splitlines()), ended.returncode


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize(
    ("at", "expected"),
    [("", (3, 0)), ("backup", (3, 0)), ("claimed", (1, -9)), ("claimed:2", (2, -9))],
)
def test_the_process_dies_at_the_named_point_and_nowhere_else(
    at: str, expected: tuple[int, int]
) -> None:
    assert passes(at) == expected


@pytest.mark.parametrize("text", ["nowhere", "claimed:soon", ":1"])
def test_a_point_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="KILL_AT"):
        kill_points.arm(text)


def test_every_point_is_passed_somewhere() -> None:
    named = {
        name
        for path in PACKAGE.rglob("*.py")
        for name in re.findall(r'kill_points\.reached\("([a-z-]+)"\)', path.read_text("utf-8"))
    }
    assert named == set(kill_points.POINTS)


def test_it_is_set_by_the_environment_alone() -> None:
    assert kill_at({"KILL_AT": "claimed:3"}) == "claimed:3"
    assert kill_at({}) == ""
