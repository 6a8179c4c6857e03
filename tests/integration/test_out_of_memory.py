"""A model for which the memory does not suffice is not called damaged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
LOAD = """
import resource
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.engines.registry import make_engine
engine = make_engine("openai-whisper")
resource.setrlimit(resource.RLIMIT_DATA, (1_000_000, -1))
engine.load(DEMO_FILE, size="demo", device="cpu", compute_type="float32")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory limits are Linux's")
def test_a_load_without_memory_says_so() -> None:
    command = [sys.executable, "-c", LOAD]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert "EngineOutOfMemory: There is not enough memory for the model demo" in ended.stderr
