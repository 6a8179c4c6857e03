"""What each part found, kept as JSON, so that the long form can be run over several sittings."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from voice_transcriber import __version__

FOLDER = Path(__file__).parent / "results"


@dataclass(frozen=True, kw_only=True)
class Result:
    """One part that was run to its end."""

    part: str
    at: str  # UTC, when it ended
    took_s: float
    version: str
    machine: Mapping[str, Any]
    figures: Mapping[str, Any]


def result_of(part: str, *, took_s: float, figures: Mapping[str, Any]) -> Result:
    return Result(
        part=part,
        at=time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        took_s=round(took_s, 1),
        version=__version__,
        machine=machine(),
        figures=figures,
    )


def machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {_kernel_version()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "disk": _file_system(),
    }


def _file_system() -> str:
    here = str(Path(__file__).resolve())
    mounts = [one for one in psutil.disk_partitions(all=True) if here.startswith(one.mountpoint)]
    return max(mounts, key=lambda one: len(one.mountpoint)).fstype if mounts else sys.platform


def keep(result: Result, folder: Path = FOLDER) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(result), indent=1, ensure_ascii=False)
    (folder / f"{result.part}.json").write_text(text + "\n", encoding="utf-8")


def kept(part: str, folder: Path = FOLDER) -> Result | None:
    """None when it was not run, or not to its end."""
    try:
        text = (folder / f"{part}.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return Result(**json.loads(text))


def _kernel_version() -> str:
    """Without the name of whoever built it."""
    return ".".join(platform.release().partition("-")[0].split(".")[:2])
