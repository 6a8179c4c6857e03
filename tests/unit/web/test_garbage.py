"""A process that only serves looks for garbage rarely."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc
from voice_transcriber.web.server import NEW_OBJECTS, collect_garbage_rarely
collect_garbage_rarely()
print(gc.isenabled(), gc.get_threshold()[0] == NEW_OBJECTS, gc.get_freeze_count() > 10_000)
"""


def test_what_is_loaded_is_left_out_and_new_garbage_is_still_found() -> None:
    """In a process of its own: the setting is the whole process's."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == ["True", "True", "True"]
