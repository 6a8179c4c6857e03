"""docs/reference/reliability-report.md, made from the results that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.faults.checker import INVARIANTS
from tests.faults.parts import PARTS, Part
from tests.faults.results import Result, kept
from tests.faults.rows import PITFALLS, SECURITY, Row

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/reliability-report.md"
HIDDEN = frozenset({"violations", "failed_requests"})

INTRODUCTION = """\
# Reliability report

What was done to the program on purpose, and what came of it. `make faults` runs the parts below
and writes this page; parts that are done are kept, so it may be interrupted and called again. A
short form of the same programs runs with `make test`.

The program is the real one, in processes of its own, asked by HTTP. The speech engine is the one
for tests, whose text follows from the samples, unless the part says otherwise: recordings never
repeat themselves, so a window that is lost, doubled or moved shows in the text.
"""

CHECKS = """\
## What is checked

After each part the same checker compares what the client was told with what is left: by the API,
and in the data folder of the stopped program. tests/faults/test_checker.py breaks each of these
on purpose.

| invariant | what must hold |
|---|---|
"""

METHOD = """\
## What the methods show, and what they do not

- **Kills** are SIGKILL to the program, its engine or a decoder, at random times or at points
  named in the code.
- **Power cuts** use an ext4 file system in a file, whose journal is written at a flush or after
  1000 s. All processes are stopped, the file is copied, and the program starts on the copy: it
  holds what was flushed and nothing else, which a test of its own shows. A flush of one file also
  makes other files' names durable, as ext4 does. Disks that lie about flushes and sectors written
  in half are not shown.
- **Clocks** are moved by libfaketime under the program alone, not under its children.
- **Full disks** are file systems in memory, filled to the last byte and kept full.
- **Crowds** come from the same machine and take processor time from the program.
"""


def write_report() -> None:
    PAGE.write_text("\n".join(_lines()).rstrip() + "\n", encoding="utf-8")


def _lines() -> Iterator[str]:
    results = {part.name: kept(part.name) for part in PARTS}
    yield INTRODUCTION
    yield from _machines(results)
    yield "## Results\n"
    yield "| part | promise | found | kept | run (UTC) |"
    yield "|---|---|---|---|---|"
    for part in PARTS:
        if result := results[part.name]:
            yield from _verdicts(part, result)
    yield ""
    yield from _not_run(results)
    yield CHECKS + "\n".join(f"| {name} | {text} |" for name, text in INVARIANTS.items()) + "\n"
    yield METHOD
    yield "## Figures of each part\n"
    for part in PARTS:
        if result := results[part.name]:
            yield f"### {part.title}\n"
            yield from _figures(result)
            yield ""
    yield from _rows("Security: each control and its test", SECURITY)
    yield from _rows("The mistakes that are easy to make, and their tests", PITFALLS)


def _machines(results: Mapping[str, Result | None]) -> Iterator[str]:
    yield "## Machine\n"
    seen = {_machine(result.machine) for result in results.values() if result}
    yield from (f"- {machine}" for machine in sorted(seen))
    yield ""


def _machine(machine: Mapping[str, Any]) -> str:
    return (
        f"{machine['cores']} cores, {machine['memory_gb']} GB of memory, {machine['system']}, "
        f"Python {machine['python']}, SQLite {machine['sqlite']}, data on {machine['disk']}; "
        "other work ran on it at the same time"
    )


def _verdicts(part: Part, result: Result) -> Iterator[str]:
    for number, bound in enumerate(part.bounds):
        title = "" if number else part.title
        verdict = "yes" if bound.kept(dict(result.figures)) else "**no**"
        found = bound.found(dict(result.figures))
        at = "" if number else result.at
        yield f"| {title} | {bound.promise} | {found} | {verdict} | {at} |"


def _not_run(results: Mapping[str, Result | None]) -> Iterator[str]:
    missing = [part for part in PARTS if results[part.name] is None]
    if not missing:
        return
    yield "## Not run\n"
    yield from (f"- {part.title} (`{part.name}`)" for part in missing)
    yield ""


def _figures(result: Result) -> Iterator[str]:
    for name, value in result.figures.items():
        if name not in HIDDEN or value:
            yield f"- {name.replace('_', ' ')}: {_shown(value)}"
    yield f"- took: {result.took_s:.0f} s, version {result.version}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(_shown(one).splitlines()[0] for one in value) or "none"
    return str(value)


def _rows(title: str, rows: Mapping[str, Row]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| row | what must hold | test, or why there is none |"
    yield "|---|---|---|"
    for name, row in rows.items():
        tests = ", ".join(f"`{test}`" for test in row.tests)
        yield f"| {name} | {row.what} | {'; '.join(filter(None, (tests, row.note)))} |"
    yield ""
