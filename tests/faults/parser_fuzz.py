"""Our own parsers under atheris, each in a process of its own: only our own errors come out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
LIMIT_S = 900.0
MAX_BYTES = 4096
TARGETS = ("times", "file_names", "forms", "fields", "frames", "settings", "upload_headers")


def run(folder: Path, *, runs: int, seed: int) -> dict[str, Any]:
    """Each target with so many inputs."""
    folder.mkdir(parents=True, exist_ok=True)
    tried, crashed = {}, []
    for name in TARGETS:
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.faults.parser_targets",
                name,
                f"-atheris_runs={runs}",
                f"-seed={seed}",
                f"-max_len={MAX_BYTES}",
                f"-artifact_prefix={folder}/{name}-",
            ],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LIMIT_S,
            check=False,
        )
        done = re.search(r"Done (\d+) (?:runs )?in", ended.stderr)
        tried[name] = int(done[1]) if done else 0
        if ended.returncode or not tried[name]:
            crashed.append(f"{name}: {ended.stdout[-2000:]}")
    return {"inputs": tried, "violations": crashed}
