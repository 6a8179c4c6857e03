"""Lighthouse on every page: performance, accessibility and best practices.

npm brings Lighthouse into a temporary folder, so the first run needs a network; the browser is
the system's Chromium. Without either the pages are left out, and it says so.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.app import App, running_app
from bench.long_transcript import long_transcript
from bench.machine import describe
from bench.recordings import DEFAULT_FOLDER
from bench.seeding import seed_list
from bench.tables import Bound, bounds_table
from tests.browser.conftest import CHROMIUM

LIGHTHOUSE = "lighthouse@12.8.2"  # 13 needs a newer Node.js than 20
LEAST_SCORE = 95
LIMIT_S = 240.0
CATEGORIES = ("performance", "accessibility", "best-practices")
JOBS, WAITING = 30, 3

# On a phone with a slow network, which Lighthouse simulates unless it is told otherwise.
_PAGES = ("/", "/jobs/{job}", "/models", "/system", "/settings")
# Swagger UI and Redoc as they are published: measured without a bound, at a desk.
_OTHERS_PAGES = ("/api/docs", "/api/redoc")


@dataclass(frozen=True, kw_only=True)
class Report:
    """What Lighthouse says of one page."""

    scores: Mapping[str, int]  # of 100
    interactive_s: float  # simulated
    faults: tuple[str, ...]  # audits that cost points


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--audio", type=Path, default=DEFAULT_FOLDER, help="the recordings")


def run(arguments: argparse.Namespace) -> bool:
    """Print the bounds; True when every one is kept, or there is nothing to measure with."""
    print(f"# Pages\n\n{describe()}\n", flush=True)
    if shutil.which("npm") is None or not CHROMIUM.exists():
        print(f"Left out: this needs npm and {CHROMIUM}.")
        return True
    with tempfile.TemporaryDirectory(prefix="voice-transcriber-bench-") as name:
        folder = Path(name)
        program = _installed(folder / "npm")
        text = long_transcript(arguments.audio, hours=0.1, with_words=False)
        seed_list(folder / "data", text, jobs=JOBS, waiting=WAITING)
        with running_app(folder) as app:
            bounds = list(_bounds(app, program, folder / "report.json"))
    print(f"\n{bounds_table(bounds)}\n\n{LIGHTHOUSE}; {describe()}")
    return all(bound.kept for bound in bounds)


def _installed(folder: Path) -> Path:
    folder.mkdir()
    command = ("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", LIGHTHOUSE)
    subprocess.run(command, cwd=folder, check=True)
    return folder / "node_modules" / ".bin" / "lighthouse"


def _bounds(app: App, program: Path, report: Path) -> Iterator[Bound]:
    answer = app.web.post("/api/v1/jobs/sample").raise_for_status()
    job = app.wait(answer.json()["id"])
    for pattern in _PAGES:
        print(f"{pattern} ...", flush=True)
        address = str(app.web.base_url.join(pattern.format(job=job["id"])))
        yield _bound(pattern, _report(program, address, report))
    for path in _OTHERS_PAGES:
        address = str(app.web.base_url.join(path))
        found = _report(program, address, report, "--preset=desktop")
        print(f"{path}, without a bound: {_text(found)}", flush=True)


def _report(program: Path, address: str, file: Path, *flags: str) -> Report:
    command = (
        str(program),
        address,
        "--quiet",
        "--output=json",
        f"--output-path={file}",
        f"--only-categories={','.join(CATEGORIES)}",
        "--chrome-flags=--headless --no-sandbox --disable-gpu",
        *flags,
    )
    environment = {**os.environ, "CHROME_PATH": str(CHROMIUM)}
    subprocess.run(command, env=environment, check=True, timeout=LIMIT_S)
    found = json.loads(file.read_text(encoding="utf-8"))
    categories, audits = found["categories"], found["audits"]
    return Report(
        scores={name: round(100 * categories[name]["score"]) for name in CATEGORIES},
        interactive_s=audits["interactive"]["numericValue"] / 1000,
        faults=tuple(
            audit["id"]
            for name in CATEGORIES
            for audit in categories[name]["auditRefs"]
            if audit["weight"] and _is_below(audits[audit["id"]]["score"], 0.9)
        ),
    )


def _is_below(score: float | None, limit: float) -> bool:
    """None: the audit has nothing to judge."""
    return score is not None and score < limit


def _bound(page: str, found: Report) -> Bound:
    worst = min(found.scores.values())
    return Bound(
        name=f"{page}, lowest score",
        measured=str(worst),
        limit=f">= {LEAST_SCORE}",
        kept=worst >= LEAST_SCORE,
        detail=_text(found),
    )


def _text(found: Report) -> str:
    scores = ", ".join(f"{name} {score}" for name, score in found.scores.items())
    faults = f"; below 90: {', '.join(found.faults)}" if found.faults else ""
    return f"{scores}; interactive in {found.interactive_s:.1f} s{faults}"
